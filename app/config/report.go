package config

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// Report is what a check of a config file found. Not for concurrent use.
type Report struct {
	// List is sorted by place.
	List diag.List
	// EnvNeeded counts the variables that the file asks for, EnvSet those of
	// them that have a value. One with a default counts only if it has a value.
	EnvNeeded, EnvSet int
	// Files are the texts that Render shows lines of, by name.
	Files map[string][]byte
	// Parts are the other files that the configuration is made of.
	Parts Parts

	roots []yamlnode.Node // the YAML files, for their comments
	masks []mask
	// distrusted holds the paths of values that could not be completed, with
	// the place of the key of each.
	distrusted map[string]diag.Position
	unsaid     []string // codes that follow from sections that could not be read
}

// mask is a value that must not be seen, and what is shown for it.
type mask struct{ value, name string }

// Add takes in what a later pass found. Values of the environment that a
// message repeats are replaced by their ${NAME}, and what is said of a value
// that could not be completed, or for want of a section that could not be
// read, is dropped: it would only follow from that.
func (r *Report) Add(list diag.List) {
	for _, d := range list {
		if key, known := r.distrusted[d.Path]; known && !strings.HasPrefix(d.Code, "env-") && (d.Line != key.Line || d.Column != key.Column) {
			continue
		}
		if slices.Contains(r.unsaid, d.Code) && (d.Code != "missing-key" || d.Path == "") {
			continue
		}
		d.Message, d.Hint = r.hide(d.Message), r.hide(d.Hint)
		r.List = append(r.List, d)
	}
	r.List.Sort()
	r.List = withoutEchoes(r.List)
}

// withoutEchoes takes out what follows from another fault: a key is missing
// where it stands misspelt, and a name that stands twice is bad once.
func withoutEchoes(list diag.List) diag.List {
	meant := map[string][]string{} // what unknown keys are meant for, by the path of what holds them
	suggests := map[string]bool{}  // the paths where one of them is like a key that there is
	twice := map[string]bool{}     // the paths of keys
	for _, d := range list {
		switch d.Code {
		case "unknown-key":
			end := strings.LastIndexByte(d.Path, '.')
			holder := d.Path[:max(end, 0)]
			meant[holder] = append(meant[holder], d.Key)
			suggests[holder] = suggests[holder] || d.Key != d.Path[end+1:]
		case "duplicate-key":
			twice[d.Path] = true
		}
	}
	return slices.DeleteFunc(list, func(d diag.Diagnostic) bool {
		if d.Severity != diag.Error {
			return false
		}
		return d.Code == "bad-name" && twice[d.Path] ||
			d.Code == "missing-key" && (slices.Contains(meant[d.Path], d.Key) || slices.Contains(meant[d.Path], "") || d.Key == "" && suggests[d.Path])
	})
}

// Err is the List as an error if it holds one, else nil.
func (r *Report) Err() error { return r.List.Err() }

// Render writes the List for people.
func (r *Report) Render(w io.Writer, color bool) error {
	return diag.Render(w, r.List, r.Files, color)
}

func (r *Report) distrust(n yamlnode.Node) { r.distrusted[n.Path()] = n.KeyPos() }

// shortest is the length in bytes from which on a value is hidden. A shorter
// one is no secret, but a part of many words.
const shortest = 6

// mask hides value from now on, in messages as it is and as %q writes it.
func (r *Report) mask(name, value string) {
	quoted := strconv.Quote(value)
	for _, v := range []string{value, quoted[1 : len(quoted)-1]} {
		m := mask{value: v, name: "${" + name + "}"}
		if len(v) < shortest || slices.Contains(r.masks, m) {
			continue
		}
		r.masks = append(r.masks, m)
	}
	slices.SortStableFunc(r.masks, func(a, b mask) int { return cmp.Compare(len(b.value), len(a.value)) })
}

// hide replaces the masked values in text, the longest first. One of fewer
// than 12 bytes is replaced only where it is a word of its own: "password" is
// a value that someone has, and a part of the names of keys.
func (r *Report) hide(text string) string {
	for _, m := range r.masks {
		if len(m.value) >= 2*shortest {
			text = strings.ReplaceAll(text, m.value, m.name)
			continue
		}
		text = replaceWord(text, m.value, m.name)
	}
	return text
}

func replaceWord(text, word, by string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return b.String() + text
		}
		end := i + len(word)
		b.WriteString(text[:i])
		if i > 0 && inName(text[i-1]) || end < len(text) && inName(text[end]) {
			b.WriteString(word)
		} else {
			b.WriteString(by)
		}
		text = text[end:]
	}
}

func inName(c byte) bool { return c == '_' || isName(string(c)) || c >= '0' && c <= '9' }
