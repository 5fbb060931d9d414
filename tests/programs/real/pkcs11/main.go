// Signs with SoftHSM 2: C++ over OpenSSL in a library that the program opens itself (dlopen), below
// the tables of functions of PKCS #11.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/miekg/pkcs11"
)

const (
	library = "/usr/lib/softhsm/libsofthsm2.so"
	pin     = "1234"
	setting = "SOFTHSM2_CONF"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// The library reads its setting by getenv of C, which has what the program was started with: so the
// program starts itself again.
func withSetting() {
	if os.Getenv(setting) != "" {
		return
	}
	folder, err := os.MkdirTemp("", "seam-pkcs11-")
	must(err)
	must(os.Mkdir(filepath.Join(folder, "tokens"), 0o700))
	text := "directories.tokendir = " + folder + "/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
	file := filepath.Join(folder, "softhsm2.conf")
	must(os.WriteFile(file, []byte(text), 0o600))
	must(syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), setting+"="+file)))
}

func session(p *pkcs11.Ctx) pkcs11.SessionHandle {
	must(p.Initialize())
	slots, err := p.GetSlotList(false)
	must(err)
	must(p.InitToken(slots[0], pin, "seam"))
	slots, err = p.GetSlotList(true)
	must(err)
	s, err := p.OpenSession(slots[0], pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	must(err)
	must(p.Login(s, pkcs11.CKU_SO, pin))
	must(p.InitPIN(s, pin))
	must(p.Logout(s))
	must(p.Login(s, pkcs11.CKU_USER, pin))
	return s
}

func key(p *pkcs11.Ctx, s pkcs11.SessionHandle) pkcs11.ObjectHandle {
	how := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, nil)}
	public := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, 2048),
		pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}),
		pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true),
	}
	private := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_SIGN, true),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
	}
	_, found, err := p.GenerateKeyPair(s, how, public, private)
	must(err)
	return found
}

//go:noinline
func sign(p *pkcs11.Ctx, s pkcs11.SessionHandle, k pkcs11.ObjectHandle) {
	how := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_SHA256_RSA_PKCS, nil)}
	must(p.SignInit(s, how, k))
	_, err := p.Sign(s, []byte("a message"))
	must(err)
}

func main() {
	withSetting()
	defer os.RemoveAll(filepath.Dir(os.Getenv(setting)))
	seconds, _ := strconv.Atoi(os.Args[1])
	p := pkcs11.New(library)
	if p == nil {
		panic(library + " can't be loaded")
	}
	s := session(p)
	k := key(p, s)
	fmt.Println("ready")
	signatures := 0
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); signatures++ {
		sign(p, s, k)
	}
	fmt.Println("ok", signatures, "signatures")
}
