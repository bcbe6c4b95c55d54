package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinectl/kinectl/internal/cli"
	"github.com/kinectl/kinectl/service"
)

func TestSpec(t *testing.T) {
	var out bytes.Buffer
	if code := cli.Run(t.Context(), "test", []string{"lint", "spec.yml"}, strings.NewReader(""), &out, &out); code != 0 || !strings.Contains(out.String(), "nothing found") {
		t.Errorf("lint: exit code %d\n%s", code, &out)
	}
}

// TestJob runs the whole job. One that fails leaves the report of the night
// before.
func TestJob(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.json")
	server := films(`{"films":[{"id":1,"title":"M","year":1931}],"next":"/films?page=1"}`, `{"films":[{"id":2,"title":"Sunrise","year":1927,"minutes":94}]}`)
	defer http.DefaultClient.CloseIdleConnections()
	run := func() (log string, err error) {
		var b bytes.Buffer
		err = service.Serve(t.Context(), service.Process{Environ: []string{"FILMS_URL=" + server.URL, "REPORT=" + report}, Log: &b}, setup)
		return b.String(), err
	}
	if log, err := run(); err != nil || !strings.Contains(log, "films=2") {
		t.Fatalf("%v\n%s", err, log)
	}
	first, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var got summary
	if err := json.Unmarshal(first, &got); err != nil || got.Films != 2 || got.Longest != "Sunrise" || got.Made.IsZero() {
		t.Errorf("the report: %s, %v", first, err)
	}
	if info, err := os.Stat(report); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its mode: %v, %v", info.Mode(), err)
	}
	server.Close()
	if _, err := run(); err == nil || !strings.HasPrefix(err.Error(), "report: read films: ") {
		t.Errorf("without films: %v", err)
	}
	if again, err := os.ReadFile(report); err != nil || !bytes.Equal(again, first) {
		t.Errorf("after a failure the report is %s, %v", again, err)
	}
	if left, err := os.ReadDir(filepath.Dir(report)); err != nil || len(left) != 1 {
		t.Errorf("beside the report: %v, %v", left, err)
	}
}
