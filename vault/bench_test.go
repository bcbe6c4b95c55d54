package vault

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// fifty are as many secrets as a service of ours has at most, each in a text of its own, and all in one
// bundle.
func fifty(b *testing.B) (separate []string, bundle string) {
	b.Helper()
	var lines strings.Builder
	for i := range 50 {
		name, plain := fmt.Sprintf("SECRET_%d", i), fmt.Sprintf("postgres://films:%032d@db.example.com/films", i)
		separate = append(separate, name+"="+sealed(b, plain, "secret"))
		fmt.Fprintf(&lines, "%s=%s\n", name, plain)
	}
	return separate, "VAULT_BUNDLE=" + sealed(b, lines.String(), "secret")
}

// BenchmarkEnviron is the start of a service with 50 secrets: texts one after the other, in
// parallel, and in one bundle.
func BenchmarkEnviron(b *testing.B) {
	separate, bundle := fifty(b)
	passwords := []Password{NewPassword("", "secret")}
	environ := func(environ ...string) {
		if values, err := Environ(environ, passwords); err != nil || len(values) == 0 {
			b.Fatal(len(values), err)
		}
	}
	oneByOne := func() {
		for _, v := range separate {
			environ(v)
		}
	}
	b.Run("one after the other", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			oneByOne()
		}
	})
	b.Run("in parallel", func(b *testing.B) {
		b.ReportAllocs()
		var parallel, serial time.Duration
		for b.Loop() {
			start := time.Now()
			environ(separate...)
			parallel += time.Since(start)
			b.StopTimer()
			start = time.Now()
			oneByOne()
			serial += time.Since(start)
			b.StartTimer()
		}
		b.ReportMetric(float64(parallel)/float64(serial), "of-one-by-one")
	})
	b.Run("bundle", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			environ(bundle)
		}
	})
	b.Run("during a rotation", func(b *testing.B) {
		b.ReportAllocs()
		passwords = []Password{NewPassword("", "new"), NewPassword("", "secret")}
		for b.Loop() {
			environ(separate...)
		}
	})
	b.Run("nothing encrypted", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Environ([]string{"A=1", "PATH=/usr/bin", "POSTGRES_DSN=postgres://db/films"}, passwords); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDerive(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := derive("secret", make([]byte, saltSize)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkText is what a text costs beside its keys, 100 bytes and 1 MiB.
func BenchmarkText(b *testing.B) {
	for _, size := range []int{100, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			text, err := Encrypt(make([]byte, size), NewPassword("", "secret"))
			if err != nil {
				b.Fatal(err)
			}
			ring := newKeyring([]Password{NewPassword("", "secret")})
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ring.open(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
