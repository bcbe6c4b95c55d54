package service

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretDoesNotShow(t *testing.T) {
	const value = "hunter2-correct-horse"
	type hidden struct{ inner Secret }
	type holder struct {
		Secret  Secret
		Pointer *Secret
		List    []Secret
		Map     map[string]Secret
		hidden  hidden
	}
	s := NewSecret(value)
	h := holder{s, &s, []Secret{s}, map[string]Secret{"a": s}, hidden{s}}
	if s.Reveal() != value || (Secret{}).Reveal() != "" {
		t.Fatalf("revealed %q and %q", s.Reveal(), (Secret{}).Reveal())
	}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %[1]v"} {
		shown = append(shown, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, h), fmt.Sprintf(verb, &h))
	}
	asJSON, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	asXML, err := xml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "holder", h, "pointer", &h)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "holder", h, "pointer", &h)
	shown = append(shown, string(asJSON), string(asXML), log.String(), fmt.Errorf("with %w and %v", fmt.Errorf("%v", s), h).Error())
	for _, text := range shown {
		if strings.Contains(text, value) || strings.Contains(text, "hunter2") || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", value)) {
			t.Errorf("shown: %s", text)
		}
	}
	// The control: the value does show where a plain string holds it.
	if text := fmt.Sprintf("%+v", struct{ inner string }{value}); !strings.Contains(text, value) {
		t.Errorf("a plain string is hidden: %s", text)
	}
}
