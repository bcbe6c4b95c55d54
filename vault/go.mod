module github.com/kinectl/kinectl/vault

go 1.26
