package scaffold

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/kinectl/kinectl/internal/scaffold/templates/grpc/greeting"
)

// TestGreeting holds the generated code of the template grpc to its proto file,
// also where there is no protoc.
func TestGreeting(t *testing.T) {
	text, err := os.ReadFile("templates/grpc/greeting/greeting.proto")
	if err != nil {
		t.Fatal(err)
	}
	file := greeting.File_greeting_proto
	want := []string{fmt.Sprintf("package %s;", file.Package())}
	for i := range file.Messages().Len() {
		m := file.Messages().Get(i)
		want = append(want, fmt.Sprintf("message %s {", m.Name()))
		for j := range m.Fields().Len() {
			f := m.Fields().Get(j)
			want = append(want, fmt.Sprintf("  %s %s = %d;", f.Kind(), f.Name(), f.Number()))
		}
	}
	for i := range file.Services().Len() {
		s := file.Services().Get(i)
		want = append(want, fmt.Sprintf("service %s {", s.Name()))
		for j := range s.Methods().Len() {
			want = append(want, rpc(s.Methods().Get(j)))
		}
	}
	statements := 0 // of the file that the code has too
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasSuffix(line, ";") || strings.HasSuffix(line, "{") {
			statements++
		}
	}
	for _, w := range want {
		if !strings.Contains(string(text), w+"\n") {
			t.Errorf("greeting.proto lacks %q, which is in the generated code: run go generate", w)
		}
	}
	if more := statements - len(want) - 2; more != 0 { // syntax and option are no descriptors
		t.Errorf("greeting.proto has %d statements that the generated code lacks: run go generate", more)
	}
}

func rpc(m protoreflect.MethodDescriptor) string {
	return fmt.Sprintf("  rpc %s(%s) returns (%s);", m.Name(), m.Input().Name(), m.Output().Name())
}
