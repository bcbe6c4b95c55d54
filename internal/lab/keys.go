package lab

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// keyPair is an ed25519 key in the forms that OpenSSH reads.
type keyPair struct {
	private []byte // "OPENSSH PRIVATE KEY"
	public  string // "ssh-ed25519 AAAA…", one line without its end
}

func newKeyPair(comment string) (keyPair, error) {
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		return keyPair{}, fmt.Errorf("make the ssh key %s: %w", comment, err)
	}
	block, err := ssh.MarshalPrivateKey(priv, comment)
	if err != nil {
		return keyPair{}, fmt.Errorf("make the ssh key %s: %w", comment, err)
	}
	public, err := ssh.NewPublicKey(pub)
	if err != nil {
		return keyPair{}, fmt.Errorf("make the ssh key %s: %w", comment, err)
	}
	return keyPair{pem.EncodeToMemory(block), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))}, nil
}
