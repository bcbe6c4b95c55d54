package vault

import (
	"bytes"
	"strings"
)

// The beginning of a vault text, and of its base64. The second is what does not depend
// on the byte after it: "$ANSIBLE_VAU".
const (
	mark       = "$ANSIBLE_VAULT"
	markBase64 = "JEFOU0lCTEVfVkFV"
)

// IsEncrypted tells whether text is a vault text, raw or base64, by its
// beginning. It may be damaged further on: see [Check].
func IsEncrypted(text []byte) bool {
	text = bytes.TrimLeft(text, blanks)
	if bytes.HasPrefix(text, []byte(mark)) {
		return true
	}
	rest := markBase64
	for _, c := range text { // base64 may be wrapped anywhere
		switch {
		case rest == "":
			return true
		case c == rest[0]:
			rest = rest[1:]
		case !strings.ContainsRune(blanks, rune(c)):
			return false
		}
	}
	return rest == ""
}

// looksEncrypted tells also of a text whose beginning was changed or cut off that it was meant to
// be encrypted; as a plain value it would go into a service unnoticed. Each of the
// three places in the first line has an image in base64 at a place of its own.
func looksEncrypted(value string) bool {
	if IsEncrypted([]byte(value)) {
		return true
	}
	start := strings.TrimLeft(value[:min(len(value), 64)], blanks)
	if strings.HasPrefix(start, ";1.1;AES256") || strings.HasPrefix(start, ";1.2;AES256") {
		return true // a shell took $ANSIBLE_VAULT for a variable
	}
	for _, places := range [][]string{{"$ANSIBLE", "_VAULT;1.", ";AES256"}, {"JEFOU0lCTEVf", "VkFVTFQ7MS", "O0FFUzI1"}} {
		found := 0
		for _, place := range places {
			if strings.Contains(start, place) {
				found++
			}
		}
		if found >= 2 {
			return true
		}
	}
	return false
}
