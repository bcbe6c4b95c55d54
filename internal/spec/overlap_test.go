package spec

import "testing"

// TestOverlaps: by itself only where two instances cannot be in each other's way.
func TestOverlaps(t *testing.T) {
	f := func(more string, want bool) {
		t.Helper()
		s, findings := Parse("spec.yml", []byte(minimal+more))
		if findings.HasErrors() {
			t.Fatalf("%q: %v", more, findings)
		}
		if got := s.Overlaps(); got != want {
			t.Errorf("%q: %v, want %v", more, got, want)
		}
	}
	const held = "  exec: {type: notify}\n  sockets: [\":8080\"]\n"
	f("", false)
	f("  exec: {type: notify}\n", false)
	f("  exec: {type: notify}\n  deploy: {overlap: true}\n", false) // nothing is held
	f("  exec: {start: none}\n  deploy: {overlap: true}\n", false)
	f(held, true)
	f(held+"  deploy: {overlap: false}\n", false)
	f(held+"  cache: true\n", true)
	f(held+"  state: true\n", false)
	f(held+"  state: true\n  deploy: {overlap: true}\n", true)
	f(held+"  environments: |\n    HTTP_ADDRESS=:8080\n    METRICS_ADDRESS=:9100\n    NATS_URL=nats://n1:4222\n", true)
	f(held+"  environments: |\n    HTTP_ADDRESS=:8080\n    GRPC_ADDRESS=:8081\n", false)
	f(held+"  environments: |\n    GRPC_ADDRESS=:8081\n  deploy: {overlap: true}\n", true)
	f(held+"  environments: |\n    DNS_UDP_ADDRESS=:8080\n", false) // another protocol
}
