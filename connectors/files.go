package connectors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// fileRef is a form's file as the event's data holds it.
type fileRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
}

// readFileRefs reads what a template made of one or more file fields: a file,
// a list of files, or lists of them. A field that was left empty is no file.
func readFileRefs(key string, raw json.RawMessage) ([]fileRef, error) {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `""` {
		return nil, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		var refs []fileRef
		for _, item := range list {
			inner, err := readFileRefs(key, item)
			if err != nil {
				return nil, err
			}
			refs = append(refs, inner...)
		}
		return refs, nil
	}
	var ref fileRef
	if err := json.Unmarshal(raw, &ref); err != nil || ref.ID == "" {
		return nil, fmt.Errorf("%s holds something that is not a form's file", key)
	}
	return []fileRef{ref}, nil
}
