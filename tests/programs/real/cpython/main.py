# Loads the Go library given and calls it from three threads for some seconds.
import ctypes
import sys
import threading
import time

library = ctypes.CDLL(sys.argv[2])
end = time.time() + float(sys.argv[1])


def work():
    while time.time() < end:
        library.GoHash(ctypes.c_long(5000))
        library.GoSort(ctypes.c_long(5000))


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
print("ready", flush=True)
for thread in threads:
    thread.join()
print("ok")
