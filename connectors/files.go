package connectors

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// ErrNoFile reports that a file is not, or no longer, stored.
var ErrNoFile = errors.New("the file is no longer stored")

// FileInfo says what a stored file is.
type FileInfo struct {
	Name string // as the visitor's machine called it; "" where the event alone says
	Type string // the media type that was found in its content; "" likewise
	Size int64  // in bytes
}

// Files opens the files that visitors sent with a form. It is safe for
// concurrent use. The error of Open wraps ErrNoFile where there is none.
type Files interface {
	Open(ctx context.Context, id string) (io.ReadCloser, FileInfo, error)
}

// noFiles stands in where nothing is stored.
type noFiles struct{}

func (noFiles) Open(context.Context, string) (io.ReadCloser, FileInfo, error) {
	return nil, FileInfo{}, ErrNoFile
}

// FileRef is a form's file as the event's data holds it.
type FileRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
}

// ReadFiles reads what a template made of one or more file fields: a file,
// a list of files, or lists of them. A field that was left empty is no file.
func ReadFiles(key string, raw json.RawMessage) ([]FileRef, error) {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
		return nil, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		var refs []FileRef
		for _, item := range list {
			inner, err := ReadFiles(key, item)
			if err != nil {
				return nil, err
			}
			refs = append(refs, inner...)
		}
		return refs, nil
	}
	var ref FileRef
	if err := json.Unmarshal(raw, &ref); err != nil || ref.ID == "" {
		return nil, fmt.Errorf("%s holds something that is not a form's file", key)
	}
	return []FileRef{ref}, nil
}

// CheckFiles wants files of the form.
func CheckFiles(n yamlnode.Node) diag.List {
	const hint = "write ${{ data.brief }}, with the name of the form's file field"
	if n.Kind() == yamlnode.Map || (n.Kind() == yamlnode.Scalar && !Templated(n)) {
		return diag.List{n.Diag("wrong-type", hint, "%q must be files of the form", KeyName(n))}
	}
	var list diag.List
	for _, item := range n.Items() {
		list = append(list, CheckFiles(item)...)
	}
	return list
}

// FileError judges what kept an attachment from being opened: one that is
// gone stays gone.
func FileError(parent, ctx context.Context, err error, timeout time.Duration) error {
	switch {
	case errors.Is(err, ErrNoFile):
		return Permanent(err)
	case ctx.Err() != nil:
		return AttemptError(parent, ctx, err, timeout)
	}
	return err
}

// maxFileName is how long a file's name is passed on, in bytes, as file systems
// bound it; in a mail it stands in one line of at most 998.
const maxFileName = 255

// FileName is a file's name without folders and without what would break
// the header that it stands in. Of one that is too long the ending stays.
func FileName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`"<>|:*?`, r) || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, strings.TrimSpace(name))
	name = cmp.Or(strings.Trim(name, ". "), "file")
	if len(name) <= maxFileName {
		return name
	}
	ending := filepath.Ext(name)
	if len(ending) > maxFileName/2 {
		ending = ""
	}
	return strings.ToValidUTF8(name[:maxFileName-len(ending)], "") + ending
}
