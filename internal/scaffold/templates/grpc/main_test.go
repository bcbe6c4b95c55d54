package main

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kinectl/kinectl/internal/scaffold/templates/grpc/greeting"
)

func TestGreet(t *testing.T) {
	f := func(name, want string, code codes.Code) {
		t.Helper()
		got, err := greeter{word: "good morning"}.Greet(t.Context(), &greeting.GreetRequest{Name: name})
		if got.GetText() != want || status.Code(err) != code {
			t.Errorf("Greet(%.10q) = %q, %v, want %q, %v", name, got.GetText(), err, want, code)
		}
	}
	f("Ann", "good morning, Ann", codes.OK)
	f(strings.Repeat("a", 101), "", codes.InvalidArgument)
}
