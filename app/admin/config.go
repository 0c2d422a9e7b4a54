package admin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"hookgate/internal/diag"
	"hookgate/internal/event"
)

// RuleText is the section rules of one of the files of a configuration. It has
// none of the file's secrets: they stand in other sections.
type RuleText struct {
	File string `json:"file"`
	Line int    `json:"line"` // of its first line in the file
	Text string `json:"text"`
	// Blank: a blank line is behind it in the file, as far as that is known.
	Blank bool `json:"-"`
}

// CheckedFile is the configuration file as it stands now, with what it includes,
// read and checked, and not in force for that.
type CheckedFile struct {
	Hash    string    `json:"hash,omitempty"` // "" where it cannot be read
	Changed time.Time `json:"changed,omitzero"`
	// Included are the files that it includes, by their paths from its folder.
	Included []string   `json:"included,omitempty"`
	Rules    []RuleText `json:"rules"`    // of each file that has some, in the order in which they are read
	Findings diag.List  `json:"findings"` // also those that refuse it
	Tests    Tests      `json:"tests"`
	Usable   bool       `json:"usable"` // a reload would bring it into force
	// Version is what its rules are compiled from; nil where they are not
	// understood.
	Version []byte `json:"-"`
}

// ConfigFile is the configuration file beside what is in force of it.
type ConfigFile struct {
	File    string      `json:"file"`
	InForce string      `json:"in_force"` // the hash of the file that is in force
	Loaded  time.Time   `json:"loaded"`
	Pending bool        `json:"pending"` // the file says something else
	Now     CheckedFile `json:"now"`     // the file as it stands now
	// Refused is the last reload that was refused, unless one has been loaded since.
	Refused *Refusal `json:"refused,omitempty"`
}

// ConfigLine is a line of a file beside another one.
type ConfigLine struct {
	Change string `json:"change"` // same, gone, new
	File   string `json:"file"`
	Line   int    `json:"line"` // its number in the file
	Text   string `json:"text"`
}

// The changes of a ConfigLine.
const (
	SameLine = "same"
	GoneLine = "gone"
	NewLine  = "new"
)

// ConfigDiff is how one text of rules differs from another: hunks of lines, with
// some of those around them.
type ConfigDiff struct {
	New   int            `json:"new"`  // lines
	Gone  int            `json:"gone"` // lines
	Hunks [][]ConfigLine `json:"hunks"`
}

// ConfigChange is what a reload of the file would change.
type ConfigChange struct {
	ConfigFile
	Diff ConfigDiff `json:"diff"`
	// Effect is what the file's rules would have made of the events since; nil
	// where they are not understood.
	Effect *Comparison `json:"effect,omitempty"`
	Since  time.Time   `json:"since"`
}

// ConfigVersion is a version of the configuration that was in force.
type ConfigVersion struct {
	ID      int64     `json:"id"`
	Config  string    `json:"config"`  // the file's hash
	Created time.Time `json:"created"` // when it came into force first
	Used    time.Time `json:"used"`    // when it was in force last: of one that was replaced, until then, else to ten minutes
	Rules   int       `json:"rules"`
	InForce bool      `json:"in_force"`
}

// ConfigVersionDetail is a version, and how its rules differ from those of the one before.
type ConfigVersionDetail struct {
	ConfigVersion
	Before *ConfigVersion `json:"before,omitempty"`
	Text   []RuleText     `json:"text"` // of each file that has rules
	Diff   ConfigDiff     `json:"diff"`
}

// versionStore has the versions of the configuration.
type versionStore interface {
	Plan(ctx context.Context, id int64) (event.RuleSet, error)
	// Plans are the versions before the one with the number, without what their
	// rules are compiled from, the newest first; 0: all.
	Plans(ctx context.Context, before int64, limit int) ([]event.RuleSet, error)
}

// effectDays is how far back the effect of a change is looked at, and effectEvents
// how many of the events that change are told of.
const (
	effectDays   = 30
	effectEvents = 20
)

// ConfigFile reads and checks the configuration file as it stands now.
func (s *Service) ConfigFile(ctx context.Context) (ConfigFile, error) {
	now := s.inForce()
	out := ConfigFile{File: now.File, InForce: now.Plan.Hash, Loaded: now.Since.UTC(), Now: s.checkFile(ctx), Refused: s.opt.Process.Refused()}
	out.Pending = out.Now.Hash != out.InForce
	return out, nil
}

// checkFile reads the configuration file, and checks it where it is not the one that
// was checked lately. A file with faults, which somebody is about to mend, is always
// checked.
func (s *Service) checkFile(ctx context.Context) CheckedFile {
	hash, check := s.opt.ReadFile()
	out, err := s.checked.Get(ctx, hash, func(ctx context.Context) (CheckedFile, error) {
		out := check(ctx)
		if !out.Usable {
			return out, errFaulty
		}
		return out, nil
	})
	if err != nil {
		s.checked.Forget()
	}
	return out
}

// errFaulty keeps a file with faults from being remembered.
var errFaulty = errors.New("the file has faults")

// ConfigChange tells what a reload of the file would change: its lines, and what
// its rules would have made of the events of the last 30 days. Nothing is sent.
func (s *Service) ConfigChange(ctx context.Context) (ConfigChange, error) {
	file, err := s.ConfigFile(ctx)
	if err != nil {
		return ConfigChange{}, err
	}
	out := ConfigChange{ConfigFile: file, Since: s.opt.Now().UTC().AddDate(0, 0, -effectDays)}
	now := s.inForce()
	out.Diff = diffOf(now.RuleText, file.Now.Rules)
	if !out.Pending || file.Now.Version == nil {
		return out, nil
	}
	effect, err := s.Compare(ctx, CompareRequest{EventSelection: EventSelection{Since: out.Since}, Then: file.Now.Version, Limit: effectEvents})
	if err != nil {
		return out, err
	}
	out.Effect = &effect
	return out, nil
}

// ConfigVersions lists the versions of the configuration that are kept: each as
// long as there are events that it judged.
func (s *Service) ConfigVersions(ctx context.Context) (Page[ConfigVersion], error) {
	list, err := s.store.Plans(ctx, 0, maxVersions)
	if err != nil {
		return Page[ConfigVersion]{}, err
	}
	page := Page[ConfigVersion]{Items: make([]ConfigVersion, 0, len(list))}
	for _, v := range list {
		page.Items = append(page.Items, s.configVersion(v))
	}
	return page, nil
}

// maxVersions is how many versions one list has at the most.
const maxVersions = 500

func (s *Service) configVersion(v event.RuleSet) ConfigVersion {
	return ConfigVersion{
		ID: v.Plan, Config: configOf(v), Created: v.Created, Used: v.Used, Rules: len(v.Rules), InForce: v.Plan == s.inForce().Plan.ID,
	}
}

// ConfigVersion shows a version with its rules, and how they differ from those
// of the version before.
func (s *Service) ConfigVersion(ctx context.Context, id int64) (ConfigVersionDetail, error) {
	v, err := s.store.Plan(ctx, id)
	if err != nil {
		return ConfigVersionDetail{}, missing(err, "there is no version %d of the configuration: %s", id, gone)
	}
	out := ConfigVersionDetail{ConfigVersion: s.configVersion(v)}
	textOf := s.inForce().TextOf
	if out.Text, err = textOf(v.Source); err != nil {
		return out, err
	}
	before, err := s.store.Plans(ctx, id, 1)
	if err != nil || len(before) == 0 {
		return out, err
	}
	one := s.configVersion(before[0])
	out.Before = &one
	if v, err = s.store.Plan(ctx, one.ID); err != nil {
		return out, err
	}
	text, err := textOf(v.Source)
	if err != nil {
		return out, err
	}
	out.Diff = diffOf(text, out.Text)
	return out, nil
}

// diffOf tells how then differs from now, line by line: the files of then in
// their order, and behind them those that are gone.
func diffOf(now, then []RuleText) ConfigDiff {
	out := ConfigDiff{Hunks: [][]ConfigLine{}}
	find := func(list []RuleText, file string) (RuleText, bool) {
		i := slices.IndexFunc(list, func(t RuleText) bool { return t.File == file })
		if i < 0 {
			return RuleText{File: file, Line: 1}, false
		}
		return list[i], true
	}
	for _, text := range then {
		before, _ := find(now, text.File)
		out.add(before, text)
	}
	for _, text := range now {
		if after, there := find(then, text.File); !there {
			out.add(text, after)
		}
	}
	return out
}

// add adds how one file differs.
func (out *ConfigDiff) add(now, then RuleText) {
	unified, err := udiff.ToUnifiedDiff("", "", now.Text, udiff.Lines(now.Text, then.Text), udiff.DefaultContextLines)
	if err != nil { // edits that come from the text fit it
		return
	}
	for _, h := range unified.Hunks {
		var hunk []ConfigLine
		old, fresh := now.Line+h.FromLine-1, then.Line+h.ToLine-1
		for _, l := range h.Lines {
			line := ConfigLine{Change: SameLine, File: then.File, Line: fresh, Text: trimNewline(l.Content)}
			switch l.Kind {
			case udiff.Delete:
				line.Change, line.Line = GoneLine, old
				old, out.Gone = old+1, out.Gone+1
			case udiff.Insert:
				line.Change = NewLine
				fresh, out.New = fresh+1, out.New+1
			case udiff.Equal:
				old, fresh = old+1, fresh+1
			}
			hunk = append(hunk, line)
		}
		out.Hunks = append(out.Hunks, hunk)
	}
}

func trimNewline(line string) string {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		return line[:n-1]
	}
	return line
}
