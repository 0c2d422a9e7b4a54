package ingest

import (
	"errors"
	"fmt"
	"io"

	"hookgate/app/ingest/files"
	"hookgate/forms"
	"hookgate/internal/body"
)

// errNoFolder is a fault of the wiring: a form with file fields is loaded only
// where there is a folder.
var errNoFolder = errors.New("there is no folder for files")

// receive reads a form post that comes as a stream, and stores its files as it
// goes. The caller ends the upload.
func (in *Intake) receive(f *forms.Form, upload *files.Upload, r *Request) ([]body.Field, error) {
	counts := map[string]int{}
	return body.ReadUpload(body.Upload{
		ContentType: r.ContentType, ContentEncoding: r.ContentEncoding, Content: r.Stream,
		Size: f.MaxUpload(), Text: f.MaxBody(), Name: forms.MaxName, Grow: r.grow,
		Take: func(part body.FilePart) (any, error) {
			rule, ok := f.FileRule(part.Field)
			if !ok {
				return part.Name, nil
			}
			counts[rule.Field()]++ // pics[0] and pics[1] are two of pics
			if counts[rule.Field()] > rule.MaxFiles() {
				return forms.Upload{Code: forms.TooManyFiles}, nil
			}
			return take(rule, upload, part)
		},
	}, f.Limits())
}

// take stores one file, or says why it does not.
func take(rule forms.FileRule, upload *files.Upload, part body.FilePart) (any, error) {
	head := make([]byte, rule.SniffLength())
	n, err := io.ReadFull(part.Content, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	head = head[:n]
	if n == 0 && part.Name == "" {
		return nil, nil // what a browser posts for a file input where nothing was chosen
	}
	name, mediaType, code, whole := rule.Judge(head, part.Name)
	if code != "" {
		return forms.Upload{Name: name, Code: code}, nil
	}
	blob, err := upload.Create()
	if err != nil {
		return nil, err
	}
	_, err = blob.Write(head)
	if err == nil {
		_, err = io.Copy(blob, io.LimitReader(part.Content, rule.MaxSize()+1-int64(n)))
	}
	if err != nil || blob.Size() > rule.MaxSize() {
		blob.Drop()
		return forms.Upload{Name: name, Code: forms.FileTooLarge}, err
	}
	if whole {
		if name, mediaType, code = rule.Inspect(blob, blob.Size(), part.Name, mediaType); code != "" {
			blob.Drop()
			return forms.Upload{Name: name, Code: code}, nil
		}
	}
	return forms.Upload{ID: blob.ID(), Name: name, Type: mediaType, Size: blob.Size(), SHA256: blob.SHA256()}, blob.Seal()
}

// acceptUpload is Accept for a post that comes as a stream. The files are on the
// disk for good before the event is committed, so that none that was
// acknowledged can lack its file.
func (in *Intake) acceptUpload(plan *Plan, r *Request) (Ack, error) {
	if plan.Files == nil {
		return Ack{}, errNoFolder
	}
	f := plan.Forms[r.Source]
	if err := in.admitFiles(f.Name, 0, f.Quota()-1, plan.Files, r.Now); err != nil {
		return Ack{}, err // before it is read
	}
	upload := plan.Files.Upload()
	defer upload.Discard()
	r.posted, r.unread = in.receive(f, upload, r)
	leave, err := in.enter(plan, r)
	if err != nil {
		return Ack{}, err
	}
	defer leave()
	d := in.decide(plan, r)
	defer d.Close()
	if d.err == nil && len(d.Form.Problems) == 0 {
		var size int64
		for _, file := range d.Event.Files {
			size += file.Size
		}
		if err := in.admitFiles(f.Name, size, f.Quota(), plan.Files, r.Now); err != nil {
			return Ack{Form: d.Form}, err
		}
		if err := upload.Sync(); err != nil {
			return Ack{Form: d.Form}, fmt.Errorf("store files: %w", err)
		}
	}
	ack, err := in.accept(d, r)
	// Also after an error: where a commit broke off nobody knows whether it was
	// done. Files that have no event are swept up later.
	if len(d.Event.Files) > 0 {
		upload.Keep()
	}
	return ack, err
}
