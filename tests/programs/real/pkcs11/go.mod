module seam.test/real/pkcs11

go 1.21

require github.com/miekg/pkcs11 v1.1.2
