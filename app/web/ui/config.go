package ui

import (
	"context"
	"path/filepath"
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
	Lines    []sourceLine // of the rules, for the view file
	Change   *admin.ConfigChange
	Versions []admin.ConfigVersion
	Version  *admin.ConfigVersionDetail
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
	return u.render(c, "config", "Config", configPage{View: "file", File: file, Lines: sourceLines(&file)})
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
	switch said, ok := sentence(err); {
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

// sourceLines are the lines of the rules with what is said of each.
func sourceLines(f *admin.ConfigFile) []sourceLine {
	var list []sourceLine
	number := f.Now.Rules.Line
	for line := range strings.Lines(f.Now.Rules.Text) {
		one := sourceLine{Number: number, Text: strings.TrimRight(line, "\r\n")}
		for _, d := range f.Now.Findings {
			if d.Line == number && filepath.Base(d.File) == f.File { // others are about tables, or events of tests
				one.add(d)
			}
		}
		list = append(list, one)
		number++
	}
	return list
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

// InRules reports whether the finding is about one of the lines that are shown.
func (p configPage) InRules(d diag.Diagnostic) bool {
	n := len(p.Lines)
	return n > 0 && p.Elsewhere(d) == "" && d.Line >= p.Lines[0].Number && d.Line <= p.Lines[n-1].Number
}

// Elsewhere is the name of the file that the finding is about, where it is another.
func (p configPage) Elsewhere(d diag.Diagnostic) string {
	if name := filepath.Base(d.File); d.File != "" && name != p.File.File {
		return name
	}
	return ""
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
