package yum

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/kinectl/kinectl/internal/needs"
	"github.com/kinectl/kinectl/internal/repo/storage"
)

// TestCreaterepo compares what is written here, value by value, with what
// createrepo_c writes of the same packages. Only the time of the files, which
// is when they were copied, may differ.
func TestCreaterepo(t *testing.T) {
	needs.Program(t, "createrepo_c", "the metadata was not compared with it")
	store, dir := tree{}, t.TempDir()
	var packages []Package
	for _, path := range []string{build(t, "testdata/bare.spec"), build(t, "testdata/full.spec")} { // in the order of names
		p, body := readPackage(t, path)
		packages = append(packages, p)
		store[p.Entry.Filename] = body
	}
	store.write(t, dir)
	base := filepath.Join(dir, "yum/stable/x86_64")
	run(t, "createrepo_c", "--quiet", "--no-database", base)
	theirs := func(kind int) []byte {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(base, "repodata", "*-"+kindNames[kind]+".xml.gz"))
		if err != nil || len(found) != 1 {
			t.Fatalf("found %q, %v", found, err)
		}
		return inflate(t, found[0])
	}

	var want, got decodedPrimary
	decodeXML(t, theirs(primary), &want)
	decodeXML(t, document(primary, packages...), &got)
	if len(want.Packages) != 2 || len(want.Packages[1].Format.Requires) < 9 || len(want.Packages[1].Format.Files) < 6 {
		t.Fatalf("createrepo_c says little: %+v", want)
	}
	for i := range want.Packages {
		want.Packages[i].Time.File = clock.Unix()
	}
	compare(t, reflect.ValueOf(got), reflect.ValueOf(want), "primary")
	for _, kind := range []int{filelists, other} {
		var want, got decodedList
		decodeXML(t, theirs(kind), &want)
		decodeXML(t, document(kind, packages...), &got)
		compare(t, reflect.ValueOf(got), reflect.ValueOf(want), kindNames[kind])
	}
}

// compare names each place where two values differ.
func compare(t *testing.T, got, want reflect.Value, place string) {
	t.Helper()
	switch {
	case got.Kind() == reflect.Struct:
		for i := range got.NumField() {
			compare(t, got.Field(i), want.Field(i), place+"."+got.Type().Field(i).Name)
		}
	case got.Kind() == reflect.Slice && got.Len() == want.Len():
		for i := range got.Len() {
			compare(t, got.Index(i), want.Index(i), place+"[]")
		}
	case !reflect.DeepEqual(got.Interface(), want.Interface()):
		t.Errorf("%s is\n%+v\ncreaterepo_c has\n%+v", place, got.Interface(), want.Interface())
	}
}

// inflate reads a gzip file.
func inflate(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	body, err := storage.ReadAllLimit(r, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
