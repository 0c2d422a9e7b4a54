package config_test

import (
	"strings"
	"testing"

	"hookgate/app/config"
)

// A file that is no YAML and has more sections than there can be is refused
// without a look at each: the time would grow with the square of its size.
func TestParse_manySections(t *testing.T) {
	t.Parallel()
	text := "version: 1\n" + strings.Repeat("rules: [\n", 100_000)
	doc, report := config.Parse("config.yaml", []byte(text), lookup(nil))
	if doc != nil || len(report.List) != 1 || report.List[0].Code != "yaml-syntax" {
		t.Errorf("got %v", report.List)
	}
}

// What stands in the sections that can be read is kept where it is, also
// behind letters of several bytes.
func TestParse_brokenSection(t *testing.T) {
	t.Parallel()
	doc, report := config.Parse("config.yaml", []byte("# für\nversion: 1\nserver: { listen: \"ü\nsources:\n  naïve: { type: 7 }\n  shop: {}\n"), lookup(nil))
	if doc == nil || len(doc.Sources) == 0 {
		t.Fatalf("got %+v, %v", doc, report.List)
	}
	first, shop := report.List[0], doc.Sources[len(doc.Sources)-1].Name
	if first.Code != "yaml-syntax" || first.Line != 3 || shop.Value != "shop" || shop.Pos().Line != 6 || shop.Pos().Column != 3 {
		t.Errorf("got %v, and the source %q at %v", report.List, shop.Value, shop.Pos())
	}
}

// A broken section between an anchor and its alias breaks neither.
func TestParse_anchorBesideBrokenSection(t *testing.T) {
	t.Parallel()
	doc, report := config.Parse("config.yaml", []byte("version: 1\nretention: { events: &long 90d, spam: 1d }\nserver: { listen: \"a\"\noutbound: {}\nsources: { a: { type: *long }, b: {} }\n"), lookup(nil))
	if doc == nil || len(doc.Sources) != 2 || len(report.List) != 1 || report.List[0].Line != 3 {
		t.Errorf("got %+v, %v", doc, report.List)
	}
}
