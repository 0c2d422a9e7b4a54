package ui

import (
	"context"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"hookgate/app/admin"
	"hookgate/app/replay"
	"hookgate/internal/diag"
)

// configService is what the pages of the configuration need.
type configService interface {
	ConfigFile(ctx context.Context) (admin.ConfigFile, error)
	ConfigChange(ctx context.Context) (admin.ConfigChange, error)
	ConfigVersions(ctx context.Context) (admin.Page[admin.ConfigVersion], error)
	ConfigVersion(ctx context.Context, id int64) (admin.ConfigVersionDetail, error)
	Reload(ctx context.Context) (admin.Reloaded, error)
}

// configPage is the configuration file: what is in force of it, what a reload
// would change, or what was in force before. View tells which.
type configPage struct {
	View     string // file, change, versions, version
	File     admin.ConfigFile
	Parts    []sourcePart // of the rules, for the view file
	Change   *admin.ConfigChange
	Versions []admin.ConfigVersion
	Version  *admin.ConfigVersionDetail
}

// sourcePart are the rules of one file.
type sourcePart struct {
	File  string
	ID    string // before the number of a line, in its address: "l" of the first
	Lines []sourceLine
}

// sourceLine is a line of the rules with what is said of it.
type sourceLine struct {
	Number   int
	Text     string
	Class    string // er where there is an error, wa where there is a warning
	Findings []finding
}

// finding is what is said of a place in a line.
type finding struct {
	diag.Diagnostic
	Class, Tint, Caret string
}

// configFile shows the file as it stands now, with its faults in place.
func (u *UI) configFile(c *fiber.Ctx) error {
	file, err := u.cfg.Service.ConfigFile(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	return u.render(c, "config", "Config", configPage{View: "file", File: file, Parts: sourceParts(&file)})
}

// configChange shows what a reload would change.
func (u *UI) configChange(c *fiber.Ctx) error {
	change, err := u.cfg.Service.ConfigChange(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	return u.render(c, "config", "Config", configPage{View: "change", File: change.ConfigFile, Change: &change})
}

// configVersions lists what was in force.
func (u *UI) configVersions(c *fiber.Ctx) error {
	file, err := u.cfg.Service.ConfigFile(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	page, err := u.cfg.Service.ConfigVersions(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	return u.render(c, "config", "Config", configPage{View: "versions", File: file, Versions: page.Items})
}

// configVersion shows a version, and how it differs from the one before.
func (u *UI) configVersion(c *fiber.Ctx) error {
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return u.notFound(c, "There is no such version.")
	}
	file, err := u.cfg.Service.ConfigFile(c.UserContext())
	if err != nil {
		return u.fail(c, err)
	}
	version, err := u.cfg.Service.ConfigVersion(c.UserContext(), id)
	switch said, ok := sentence(languageOf(c), err); {
	case missing(err):
		return u.notFound(c, "There is no such version.")
	case ok:
		return u.refuse(c, fiber.StatusConflict, said)
	case err != nil:
		return u.fail(c, err)
	}
	return u.render(c, "config", "Config", configPage{View: "version", File: file, Version: &version})
}

// reload brings the file into force.
func (u *UI) reload(c *fiber.Ctx) error {
	reloaded, err := u.cfg.Service.Reload(u.acts(c))
	if err != nil {
		return u.fail(c, err)
	}
	l := languageOf(c)
	if !reloaded.OK {
		return u.done(c, prefix+"/config", "bad", l.text("The file was refused, see below. %s stays in force; nothing is interrupted.", reloaded.Config))
	}
	return u.done(c, prefix+"/config", "ok", l.text("%s is in force.", reloaded.Config))
}

// sourceParts are the lines of the rules, file by file, with what is said of each.
func sourceParts(f *admin.ConfigFile) []sourcePart {
	var parts []sourcePart
	for i, text := range f.Now.Rules {
		part := sourcePart{File: text.File, ID: "l"}
		if i > 0 {
			part.ID = "f" + strconv.Itoa(i) + "l"
		}
		number := text.Line
		for line := range strings.Lines(text.Text) {
			one := sourceLine{Number: number, Text: strings.TrimRight(line, "\r\n")}
			for _, d := range f.Now.Findings {
				if d.Line == number && d.File == text.File { // others are about tables, or events of tests
					one.add(d)
				}
			}
			part.Lines = append(part.Lines, one)
			number++
		}
		parts = append(parts, part)
	}
	return parts
}

func (l *sourceLine) add(d diag.Diagnostic) {
	f := finding{Diagnostic: d, Class: "wa", Tint: "warn"}
	if d.Severity == diag.Error {
		f.Class, f.Tint = "er", "bad"
	}
	if l.Class != "er" {
		l.Class = f.Class
	}
	if d.Column > 0 {
		f.Caret = strings.Repeat(" ", d.Column-1) + strings.Repeat("^", max(1, d.Width))
	}
	l.Findings = append(l.Findings, f)
}

// Errors and Warnings count what is said of the file.
func (p configPage) Errors() int   { return p.File.Now.Findings.Count(diag.Error) }
func (p configPage) Warnings() int { return len(p.File.Now.Findings) - p.Errors() }

// LineOf is the address of the line that the finding is about; "" where it is
// about none of those that are shown.
func (p configPage) LineOf(d diag.Diagnostic) string {
	for _, part := range p.Parts {
		if n := len(part.Lines); n > 0 && d.File == part.File && d.Line >= part.Lines[0].Number && d.Line <= part.Lines[n-1].Number {
			return "#" + part.ID + strconv.Itoa(d.Line)
		}
	}
	return ""
}

// Elsewhere is the name of the file that the finding is about, where it is another
// than the one that is loaded.
func (p configPage) Elsewhere(d diag.Diagnostic) string {
	if d.File != p.File.File {
		return d.File
	}
	return ""
}

// fileRow is one of the files that the configuration is made of.
type fileRow struct {
	Name, Link       string // Link: where its rules are shown; "" where it has none
	Errors, Warnings int
}

// Files are the YAML files of a configuration that is made of several; nil for
// one in a single file.
func (p configPage) Files() []fileRow {
	if len(p.File.Now.Included) == 0 {
		return nil
	}
	var rows []fileRow
	for _, name := range append([]string{p.File.File}, p.File.Now.Included...) {
		row := fileRow{Name: name}
		for _, d := range p.File.Now.Findings {
			switch {
			case d.File != name:
			case d.Severity == diag.Error:
				row.Errors++
			default:
				row.Warnings++
			}
		}
		for _, part := range p.Parts {
			if part.File == name {
				row.Link = "#" + part.ID
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// LineClass is how a line of a difference is drawn.
func (v *view) LineClass(l admin.ConfigLine) string {
	switch l.Change {
	case admin.GoneLine:
		return "rm"
	case admin.NewLine:
		return "ad"
	}
	return ""
}

// LineSign stands before a line of a difference.
func (v *view) LineSign(l admin.ConfigLine) string {
	switch l.Change {
	case admin.GoneLine:
		return "−"
	case admin.NewLine:
		return "+"
	}
	return " "
}

// RouteChange says what differs for one delivery.
func (v *view) RouteChange(change string) string {
	switch change {
	case replay.Added:
		return v.T("would be sent")
	case replay.Removed:
		return v.T("would not be sent")
	case replay.Output:
		return v.T("would say something else")
	}
	return v.T("could not be judged")
}
