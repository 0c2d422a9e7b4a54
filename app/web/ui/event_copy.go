package ui

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/internal/event"
)

// download gives the body of an event as it came, to be kept as a fixture.
func (u *UI) download(c *fiber.Ctx) error {
	var id event.ID
	if err := id.UnmarshalText([]byte(c.Params("id"))); err != nil {
		return u.notFound(c, noSuchEvent)
	}
	detail, err := u.cfg.Service.Event(c.UserContext(), id)
	if err != nil {
		return u.fail(c, err)
	}
	name, body := id.String()+".json", detail.Base64
	if detail.Body != "" {
		body = []byte(detail.Body)
	}
	if !json.Valid(body) {
		name = id.String() + ".txt"
	}
	// What strangers sent is never shown by a browser as a page of here.
	c.Set(fiber.HeaderContentType, fiber.MIMEOctetStream)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	return c.Send(body)
}

// asCurl is the request as a command for a shell. The token is not in it: it is
// kept nowhere. "" where the body cannot be written so.
func asCurl(d *admin.EventDetail, base string, form bool) string {
	if d.Body == "" || strings.ContainsRune(d.Body, 0) || !utf8.ValidString(d.Body) {
		return ""
	}
	method, at := d.Request.Method, base+"/in/"+d.Source+"/TOKEN"
	if form {
		at = base + "/f/" + d.Source
	}
	if method == "" {
		method = fiber.MethodPost
	}
	words := []string{"curl", "-X", method, shellWord(at)}
	if d.Request.ContentType != "" {
		words = append(words, "-H", shellWord("Content-Type: "+d.Request.ContentType))
	}
	return strings.Join(append(words, "--data-raw", shellWord(d.Body)), " ")
}

// isForm reports whether the name is a form's, of the configuration in force.
func (u *UI) isForm(c *fiber.Ctx, name string) (bool, error) {
	forms, err := u.cfg.Service.Forms(c.UserContext(), u.cfg.Now())
	return slices.ContainsFunc(forms.Items, func(f admin.FormCount) bool { return f.Name == name }), err
}

// shellWord quotes a text for a shell.
func shellWord(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
