package ui

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/app/admin/export"
	"hookgate/app/web/api"
	"hookgate/internal/event"
)

const (
	// exportTime is how long the posts of an export may take to be collected.
	exportTime = 10 * time.Minute
	// maxExports is how many are made at once: each has its files on disk.
	maxExports = 2
)

// exportPage asks what of a form is to be written, and as what.
type exportPage struct {
	Form         admin.FormCount
	Since, Until string    // days, as the fields have them
	First, Last  time.Time // the oldest and the newest post; zero: there is none
	Zone         string
}

// exportOf is the form that the path names.
func (u *UI) exportOf(c *fiber.Ctx) (admin.FormCount, error) {
	counts, err := u.cfg.Service.Forms(c.UserContext(), u.cfg.Now()) // for their names
	if err != nil {
		return admin.FormCount{}, err
	}
	for i := range counts.Items {
		if counts.Items[i].Name == c.Params("form") {
			return counts.Items[i], nil
		}
	}
	return admin.FormCount{}, event.ErrNotFound
}

// exportForm is the page from which a form's posts are downloaded.
func (u *UI) exportForm(c *fiber.Ctx) error {
	form, err := u.exportOf(c)
	if err != nil {
		return u.refusedExport(c, err)
	}
	data := exportPage{Form: form, Since: c.Query("since"), Until: c.Query("until"), Zone: u.location().String()}
	oldest, err := u.cfg.Service.Posts(c.UserContext(), admin.PostQuery{Form: form.Name, Limit: 1})
	if err != nil {
		return u.refusedExport(c, err)
	}
	newest, err := u.cfg.Service.Events(c.UserContext(), event.Search{Filter: event.Filter{Source: form.Name, FormsOnly: true, States: event.JudgedStates(), Limit: 1}})
	if err != nil {
		return u.refusedExport(c, err)
	}
	if len(oldest.Items) > 0 && len(newest.Items) > 0 {
		data.First, data.Last = oldest.Items[0].Time, newest.Items[0].Time
	}
	return u.renderPage(c, "export", "forms", languageOf(c).text("Export"), data)
}

// exportFile gives a form's posts as a file.
func (u *UI) exportFile(c *fiber.Ctx) error {
	form, err := u.exportOf(c)
	if err != nil {
		return u.refusedExport(c, err)
	}
	format, delimiter := formatOf(c)
	options := export.Options{Form: form.Name, Fields: form.Fields, Format: export.Format(format), Delimiter: delimiter, Zone: u.location()}
	q := admin.PostQuery{Form: form.Name, Limit: admin.MaxLimit}
	name := []string{form.Name}
	for _, end := range []struct {
		day  string
		days int
		into *time.Time
	}{{c.Query("since"), 0, &q.Since}, {c.Query("until"), 1, &q.Until}} {
		if end.day == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, end.day, u.location())
		if err != nil {
			return u.refuse(c, fiber.StatusBadRequest, languageOf(c).text("%s is no day. Write it as 2026-11-30.", end.day))
		}
		*end.into = day.AddDate(0, 0, end.days)
		name = append(name, end.day)
	}
	if err := options.Check(); err != nil {
		return u.refuse(c, fiber.StatusBadRequest, err.Error())
	}
	select {
	case u.exports <- struct{}{}:
		defer func() { <-u.exports }()
	default:
		return u.refuse(c, fiber.StatusServiceUnavailable, "Two exports are being made just now. Try again in a moment.")
	}
	content, size, err := u.writeExport(c, options, q)
	if err != nil {
		return u.refusedExport(c, err)
	}
	return api.SendFile(c, event.File{Name: strings.Join(name, "-") + "." + string(options.Format), Type: exportTypes[options.Format], Size: size}, content)
}

// exportTypes are the media types of the formats; those of others are for the
// browser to tell by the name.
var exportTypes = map[export.Format]string{export.CSV: "text/csv"}

// writeExport makes the file, which is gone once it is closed.
func (u *UI) writeExport(c *fiber.Ctx, o export.Options, q admin.PostQuery) (content io.ReadCloser, size int64, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.acts(c)), exportTime)
	defer cancel()
	e, err := export.New(o)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	count, err := e.Collect(ctx, u.cfg.Service, q, nil)
	if err != nil {
		return nil, 0, err
	}
	file, err := os.CreateTemp("", "hookgate-export-*")
	if err != nil {
		return nil, 0, err
	}
	err = errors.Join(os.Remove(file.Name()), e.Write(file))
	if err == nil {
		size, err = file.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	u.cfg.Logger.InfoContext(ctx, "by hand", "audit", "posts exported", "form", o.Form, "posts", count, "by", u.visitorName(c))
	return file, size, nil
}

func (u *UI) refusedExport(c *fiber.Ctx, err error) error {
	if missing(err) {
		return u.notFound(c, noSuchForm)
	}
	return u.fail(c, err)
}

// FileLink is where the file is, with the days that the page was asked for.
func (p exportPage) FileLink() string {
	return prefix + "/forms/" + url.PathEscape(p.Form.Name) + "/export/file"
}
