module seam.test/longcalls

go 1.19
