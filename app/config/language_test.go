package config_test

import (
	"path/filepath"
	"testing"

	"hookgate/app/config"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// The faults that the rules' compiler finds go through the same report, in
// the form that docs/configuration.md shows.
func TestRules_faults(t *testing.T) {
	t.Parallel()
	golden(t, filepath.Join("testdata", "language", "language.yaml"), func(doc *config.Config, report *config.Report) {
		_, list := rules.Compile(lang.NewCompiler(), doc.Rules,
			rules.Origins{"sitejet": {"website_created", "website_status_changed"}, "contact": {"form_submitted"}},
			rules.Targets{
				"billing":   {Noun: "an action to a webhook", Inputs: []lang.Input{{Name: "json", Kind: lang.ValueInput}}},
				"slack-bot": {Noun: "an action to Slack", Inputs: []lang.Input{{Name: "text", Kind: lang.TextInput, Required: true}}},
			})
		report.Add(list)
	})
}
