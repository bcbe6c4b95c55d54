package spec

import (
	"testing"
	"time"
)

func TestDrains(t *testing.T) {
	f := func(lines string, want time.Duration) {
		t.Helper()
		s, found := Parse("spec.yml", []byte("service:\n  name: films\n  group: applications\n  description: Films\n  limits: {mem: 64M}\n  environments: HTTP_ADDRESS=:8080\n"+lines))
		if found.HasErrors() || s.Drains() != want {
			t.Errorf("%s: %s, %v, want %s", lines, s.Drains(), found, want)
		}
	}
	const routes = "  routes: [{host: films.example.com}]\n"
	f("", 0)
	f("  deploy: {drain: 10s}\n", 10*time.Second)
	f(routes, DefaultRoutedDrain)
	f(routes+"  deploy: {drain: 10s}\n", 10*time.Second)
	f(routes+"  deploy: {drain: 0s}\n", 0)
	f(routes+"  exec: {type: notify}\n  sockets: [\":8080\"]\n", 0)
	f(routes+"  exec: {type: notify}\n  sockets: [\":8080\"]\n  deploy: {drain: 4s}\n", 4*time.Second)
	f(routes+"  exec: {type: notify}\n  sockets: [\":8080\"]\n  deploy: {overlap: false}\n", DefaultRoutedDrain)
}
