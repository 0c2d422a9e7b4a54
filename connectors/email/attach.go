package email

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/wneessen/go-mail"

	"hookgate/connectors"
)

// maxAttachments bounds all files of one message together: few servers take
// more than 25 MB, and a third is added in transit.
const maxAttachments = 18 << 20

// openFile is an attachment whose content is read when it is sent.
type openFile struct {
	io.ReadCloser
	name string
}

// attach opens the message's files; close closes them.
func (l *letter) attach(ctx context.Context, files connectors.Files) error {
	var total int64
	var list []*mail.File
	for _, ref := range l.files {
		content, info, err := files.Open(ctx, ref.ID)
		if err != nil {
			l.close()
			return fmt.Errorf("the attachment %q: %w", connectors.Excerpt(ref.Name), err)
		}
		file := openFile{ReadCloser: content, name: connectors.FileName(cmp.Or(info.Name, ref.Name))}
		l.opened = append(l.opened, file)
		if total += info.Size; total > maxAttachments {
			l.close()
			return connectors.Permanent(fmt.Errorf("the attachments have more than %d MB together", maxAttachments>>20))
		}
		list = append(list, &mail.File{
			Name: file.name, ContentType: mail.ContentType(attachmentType(cmp.Or(info.Type, ref.Type))),
			Enc: mail.EncodingB64, Header: map[string][]string{},
			Writer: func(w io.Writer) (int64, error) {
				n, err := io.Copy(w, file)
				if err != nil {
					return n, &attachmentError{fmt.Errorf("the attachment %q: %w", file.name, err)}
				}
				return n, nil
			},
		})
	}
	l.msg.SetAttachments(list)
	return nil
}

func (l *letter) close() {
	for _, file := range l.opened {
		_ = file.Close()
	}
	l.opened = nil
}

// attachmentError is a file that could not be read while it was being sent.
type attachmentError struct{ cause error }

func (e *attachmentError) Error() string { return e.cause.Error() }

func (e *attachmentError) Unwrap() error { return e.cause }

// attachmentType is a media type that can stand in a header.
func attachmentType(name string) string {
	name, _, _ = strings.Cut(name, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	main, sub, found := strings.Cut(name, "/")
	plain := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-+._", r)
	}
	if !found || main == "" || sub == "" || strings.ContainsFunc(main, plain) || strings.ContainsFunc(sub, plain) {
		return "application/octet-stream"
	}
	return name
}
