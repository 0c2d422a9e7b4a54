package connectors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"
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
func (l *letter) attach(ctx context.Context, files Files) error {
	var total int64
	var list []*mail.File
	for _, ref := range l.files {
		content, info, err := files.Open(ctx, ref.ID)
		if err != nil {
			l.close()
			return fmt.Errorf("the attachment %q: %w", excerpt(ref.Name), err)
		}
		file := openFile{ReadCloser: content, name: attachmentName(or(info.Name, ref.Name))}
		l.opened = append(l.opened, file)
		if total += info.Size; total > maxAttachments {
			l.close()
			return Permanent(fmt.Errorf("the attachments have more than %d MB together", maxAttachments>>20))
		}
		list = append(list, &mail.File{
			Name: file.name, ContentType: mail.ContentType(attachmentType(or(info.Type, ref.Type))),
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

// attachError judges what kept an attachment from being opened: one that is
// gone stays gone.
func attachError(parent, ctx context.Context, err error, timeout time.Duration) error {
	switch {
	case errors.Is(err, ErrNoFile):
		return Permanent(err)
	case ctx.Err() != nil:
		return attemptError(parent, ctx, err, timeout)
	}
	return err
}

// attachmentName is a file's name without folders and without what would break
// the header that it stands in.
func attachmentName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`"<>|:*?`, r) || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, strings.TrimSpace(name))
	return or(strings.Trim(name, ". "), "file")
}

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
