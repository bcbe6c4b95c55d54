package apt

import (
	"bytes"
	"slices"
	"strings"

	"github.com/kinectl/kinectl/internal/repo/index"
)

// A line of Contents is a path without the slash before it, and the packages
// that have it as section/name, between them separator. Debian's
// RepositoryFormat, "Contents indices", takes any run of blanks there.
const separator = "   "

// contentsLayout is that of Contents; the key of a line is its path.
func contentsLayout() index.Layout { return index.Layout{Split: splitLine, Key: linePath} }

func splitLine(text []byte) (line, rest []byte) {
	i := bytes.IndexByte(text, '\n')
	if i <= 0 {
		return nil, text
	}
	return text[:i+1], text[i+1:]
}

// linePath cuts at the last separator: a path may have blanks, labels do not.
func linePath(line []byte) string {
	if i := bytes.LastIndex(line, []byte(separator)); i > 0 {
		return string(line[:i])
	}
	return ""
}

// labels are the packages of a line.
func labels(line []byte) []string {
	i := bytes.LastIndex(line, []byte(separator))
	if i < 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(line[i+len(separator):]), "\n"), ",")
}

// label is how a line names a package: with its section, if that fits a line.
func label(section, name string) string {
	if section == "" || strings.ContainsAny(section, " \t\n,") {
		return name
	}
	return section + "/" + name
}

func labelName(label string) string { return label[strings.LastIndexByte(label, '/')+1:] }

// contentsPath is a file's path as Contents has it, or empty where no line can
// have it: the format has no way to write a newline.
func contentsPath(file string) string {
	p := strings.TrimPrefix(file, "/")
	if strings.ContainsAny(p, "\n\x00") || len(p) > index.MaxKey {
		return ""
	}
	return p
}

// turn is that another version of a name becomes the newest in an architecture.
type turn struct {
	from, to holder   // either may be nothing
	files    []string // of to
}

// turned is the text of Contents after turns. Lines of what was the newest are
// found in the text itself, so that nobody has to open that package again.
func turned(text *index.Text, turns map[string]turn) (*index.Text, error) {
	gained := map[string][]string{} // labels by path
	var needles [][]byte
	for _, t := range turns {
		if t.from.label != "" {
			needles = append(needles, []byte(" "+t.from.label), []byte(","+t.from.label))
		}
		for _, file := range t.files {
			if p := contentsPath(file); p != "" {
				gained[p] = append(gained[p], t.to.label)
			}
		}
	}
	paths := make([]string, 0, len(gained))
	for p := range gained {
		paths = append(paths, p)
	}
	const few = 8 // needles; looking for more takes longer than reading every line
	lines := text.Containing(needles...)
	if len(needles) > few {
		lines = text.All()
	}
	if len(needles) > 0 {
		for line, err := range lines {
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(labels(line), func(l string) bool { return turns[labelName(l)].from.label != "" }) {
				paths = append(paths, linePath(line))
			}
		}
	}
	return text.Update(paths, func(path string, old []byte) []byte {
		stay := slices.DeleteFunc(labels(old), func(l string) bool { return turns[labelName(l)].from.label != "" })
		stay = append(stay, gained[path]...)
		if len(stay) == 0 {
			return nil
		}
		slices.Sort(stay)
		return []byte(path + separator + strings.Join(slices.Compact(stay), ",") + "\n")
	})
}
