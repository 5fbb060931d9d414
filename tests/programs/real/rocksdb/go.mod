module seam.test/real/rocksdb

go 1.21
