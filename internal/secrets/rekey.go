package secrets

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/kinectl/kinectl/vault"
)

// Passwords are those of a rekey.
type Passwords struct {
	Old []vault.Password // that the texts have
	// New is what they get. Texts with a vault id keep theirs when it has none.
	New vault.Password
	// LeaveOthers leaves texts as they are that no old password fits: those of
	// other services. Otherwise one is an error.
	LeaveOthers bool
}

// Report says what a rekey did.
type Report struct {
	Finished int `json:"finished"` // files of an earlier one that was interrupted
	Files    int `json:"files"`
	Texts    int `json:"texts"`
	Already  int `json:"already"` // texts that had the new password
	Others   int `json:"others"`  // texts that were left alone
}

// Rekey gives every vault text in the files below dir the new password, with a
// salt of its own. Everything else in the files stays byte for byte, and so do
// their modes and owners.
//
// It is atomic: every text is decrypted before anything is written, and a
// rekey that was interrupted, however, is undone or finished by the next one, or by
// [Finish]; see [Unfinished]. The error then is that of all texts, each with its file, line
// and variable and never a value; it wraps vault.ErrPassword or vault.ErrDamaged.
// Two at the same time wait for each other.
func Rekey(dir string, p Passwords) (Report, error) {
	return rekey{before: func() {}}.run(dir, p)
}

// rekey is one run; before is called before each change of a file or folder.
type rekey struct{ before func() }

func (r rekey) run(dir string, p Passwords) (report Report, err error) {
	defer func(named string) {
		if err != nil {
			err = fmt.Errorf("rekey %s: %w", named, err)
		}
	}(dir)
	root, unlock, err := locked(dir)
	if err != nil {
		return report, err
	}
	defer unlock()
	if report.Finished, err = r.finish(root); err != nil {
		return report, err
	}
	dir, err = resolved(dir)
	if err != nil {
		return report, err
	}
	files, err := Tree(dir)
	if err != nil {
		return report, err
	}
	changes, err := p.apply(files, &report)
	if err != nil || len(changes) == 0 {
		return report, err
	}
	below, err := filepath.Rel(root, dir)
	if err != nil {
		return report, err
	}
	for i := range changes {
		changes[i].Path = path.Join(filepath.ToSlash(below), changes[i].Path)
	}
	return report, r.replace(root, changes)
}

// change is a file's new content.
type change struct {
	File
	old []byte
}

// apply works out the new content of the files, in memory. All texts are worked
// on at the same time: each takes its password's key derivation twice.
func (p Passwords) apply(files []File, report *Report) ([]change, error) {
	found, results := make([][]Text, len(files)), make([][]outcome, len(files))
	var group sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, f := range files {
		found[i] = Find(f.Body)
		results[i] = make([]outcome, len(found[i]))
		for j, t := range found[i] {
			free <- struct{}{}
			group.Go(func() {
				defer func() { <-free }()
				results[i][j] = p.one(f.Body[t.From:t.To])
			})
		}
	}
	group.Wait()
	var changes []change
	var errs []error
	for i, f := range files {
		var body []byte
		at, changed := 0, false
		for j, t := range found[i] {
			switch o := results[i][j]; {
			case o.err != nil:
				errs = append(errs, fmt.Errorf("%s:%d: %s: %w", f.Path, t.Line, orWhole(t.Name), o.err))
			case o.already:
				report.Already++
			case o.other:
				report.Others++
			default:
				report.Texts++
				body = append(append(body, f.Body[at:t.From]...), o.text...)
				at, changed = t.To, true
			}
		}
		if changed {
			report.Files++
			changes = append(changes, change{File{f.Path, append(body, f.Body[at:]...)}, f.Body})
		}
	}
	return changes, errors.Join(errs...)
}

func orWhole(name string) string {
	if name == "" {
		return "the vault text"
	}
	return name
}

// outcome is what becomes of one text.
type outcome struct {
	text           []byte
	already, other bool
	err            error
}

func (p Passwords) one(place []byte) outcome {
	id, err := vault.Check(place)
	if err != nil {
		return outcome{err: err}
	}
	plain, err := vault.Decrypt(place, p.Old...)
	if errors.Is(err, vault.ErrPassword) {
		if _, e := vault.Decrypt(place, p.New); e == nil {
			return outcome{already: true}
		}
		if p.LeaveOthers {
			return outcome{other: true}
		}
	}
	if err != nil {
		return outcome{err: err}
	}
	key := p.New
	if key.ID() == "" {
		key = key.WithID(id)
	}
	text, err := put(place, func(raw bool) ([]byte, error) {
		text, err := vault.Encrypt(plain, key)
		if err != nil || raw {
			return text, err
		}
		return base64.StdEncoding.AppendEncode(nil, text), nil
	})
	return outcome{text: text, err: err}
}

// Finish ends a rekey of the tree that dir is in, if one was interrupted after
// it had decrypted everything, and returns how many files it has replaced. It
// needs no password.
func Finish(dir string) (files int, err error) {
	root, unlock, err := locked(dir)
	if err == nil {
		defer unlock()
		files, err = rekey{before: func() {}}.finish(root)
	}
	if err != nil {
		return files, fmt.Errorf("finish the rekey of %s: %w", dir, err)
	}
	return files, nil
}

// Unfinished returns the journal of a rekey of the tree that dir is in, which
// was interrupted, or "". Some of its files may have the old password and some the
// new one.
func Unfinished(dir string) string {
	root, err := top(dir)
	if err != nil {
		return ""
	}
	name := filepath.Join(root, journalName)
	if _, err := os.Lstat(name); err != nil {
		return ""
	}
	return name
}
