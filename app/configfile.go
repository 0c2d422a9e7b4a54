package app

import (
	"context"
	"os"

	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/internal/diag"
	"hookgate/internal/schema"
)

// readFile reads the configuration file as it stands now, and tells how it is
// checked: against what was seen of each source, and with its tests.
func (a *App) readFile() (hash string, check func(ctx context.Context) admin.CheckedFile) {
	doc, report := config.Load(a.path, config.LookupEnv)
	var out admin.CheckedFile
	if info, err := os.Stat(a.path); err == nil {
		out.Changed = info.ModTime().UTC()
	}
	if doc != nil {
		out.Hash, out.Rules = doc.Hash, ruleTextOf(named(doc))
		for _, path := range doc.Included {
			out.Included = append(out.Included, doc.Name(path))
		}
	}
	return out.Hash, func(ctx context.Context) admin.CheckedFile { return a.checkFile(ctx, doc, report, out) }
}

func (a *App) checkFile(ctx context.Context, doc *config.Config, report *config.Report, out admin.CheckedFile) admin.CheckedFile {
	loaded, report, err := check(doc, report, func(l *Plan) (map[string]schema.Source, bool) {
		origins := l.Origins()
		return origins, seen(ctx, a.store, origins) == nil
	})
	if err == nil {
		var failed diag.List
		out.Tests, failed = a.test(loaded)
		report.Add(failed)
		if version, err := loaded.RuleSet(); err == nil {
			out.Version = version.Whole()
		}
		if err := a.fits(loaded.Config); err != nil {
			report.Add(diag.List{a.restart(err)})
		}
	}
	out.Findings, out.Usable = calledByName(&config.Config{Path: a.path}, report.List), report.Err() == nil
	return out
}

func ruleTextOf(t config.RuleText) []admin.RuleText {
	list := make([]admin.RuleText, 0, len(t))
	for _, part := range t {
		list = append(list, admin.RuleText{File: part.File, Line: part.Line, Text: part.Text, Blank: part.Blank})
	}
	return list
}

// storedText is the text of the rules of a stored version.
func storedText(source []byte) ([]admin.RuleText, error) {
	if len(source) == 0 {
		return nil, admin.ErrNoSource
	}
	v, _, err := readRules(source)
	return ruleTextOf(v.Text), err
}
