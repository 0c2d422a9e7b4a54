package reader

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"hookgate/app/cli"
)

// command is one that a reader types, and what the page says it prints.
type command struct {
	line   int
	text   string
	output []string
}

var (
	remark = regexp.MustCompile(`(^|\s+)# .*$`)
	// before is what may stand in front of the program's name: what runs it
	// elsewhere, or as somebody else, and variables.
	before = regexp.MustCompile(`^\s*((sudo( -u \S+)?|docker compose exec \S+|kubectl exec \S+ --|[A-Z_]+=\S*)\s+)*(\S*/)?(hookgate|go run \.)(\s+|$)`)
	// between is what ends a call in a line of the shell.
	between = regexp.MustCompile(`\|\|?|&&|;|<\(|\$\(|\)|\n`)
	quoted  = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	span    = regexp.MustCompile("`([^`]+)`")
)

// commands are those of a block of sh or console.
func (b *block) commands() []command {
	var all []command
	open := false // the line before ends with a backslash
	for i, line := range b.lines {
		text, typed := strings.CutPrefix(line, "$ ")
		switch {
		case open:
			last := &all[len(all)-1]
			last.text = strings.TrimSuffix(last.text, `\`) + strings.TrimSpace(line)
		case b.lang == "console" && !typed:
			if len(all) > 0 {
				last := &all[len(all)-1]
				last.output = append(last.output, line)
			}
			continue
		default:
			text = remark.ReplaceAllString(text, "")
			if strings.TrimSpace(text) == "" {
				continue
			}
			all = append(all, command{line: b.line + 1 + i, text: text})
		}
		open = strings.HasSuffix(line, `\`)
	}
	return all
}

// calls are the arguments of each call of hookgate in a line of the shell.
func calls(line string) [][]string {
	var kept []string // what is in quotes is a word, whatever it holds
	line = quoted.ReplaceAllStringFunc(line, func(text string) string {
		kept = append(kept, text[1:len(text)-1])
		return fmt.Sprintf("\x00%d\x00", len(kept)-1)
	})
	var found [][]string
	for _, part := range between.Split(line, -1) {
		at := before.FindString(part)
		if at == "" {
			continue
		}
		args := []string{}
		for word := range strings.FieldsSeq(part[len(at):]) {
			if word == "<" || word == ">" || word == ">>" || word == "&" {
				break
			}
			for i, text := range kept {
				word = strings.ReplaceAll(word, fmt.Sprintf("\x00%d\x00", i), text)
			}
			args = append(args, word)
		}
		found = append(found, args)
	}
	return found
}

// parse holds a call against the tree of commands and returns the command's
// path. In a sentence a command may stand without its arguments, and a flag without
// its value.
func parse(args []string, sentence bool) (string, error) {
	c, rest, err := cli.Command().Find(args)
	if err != nil {
		return "", err
	}
	c.InitDefaultHelpFlag()
	c.InitDefaultVersionFlag()
	err = c.ParseFlags(rest)
	if _, ok := errors.AsType[*pflag.ValueRequiredError](err); ok && sentence {
		return c.CommandPath(), nil // `hookgate explain --at`
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", c.CommandPath(), err)
	}
	given := c.Flags().Args()
	if sentence && len(given) > 0 && given[0] == strings.ToUpper(given[0]) {
		return c.CommandPath(), nil // `hookgate COMMAND --help`
	}
	if c.HasSubCommands() && len(given) > 0 {
		return "", fmt.Errorf("%s has no command %q", c.CommandPath(), given[0])
	}
	if sentence {
		return c.CommandPath(), nil
	}
	return c.CommandPath(), c.ValidateArgs(given)
}

// Every call of hookgate on a page, in a block that is run or not or in a
// sentence, is one that the program has: a command or flag that is renamed is
// found in all of them.
func TestCalls(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		text := readFile(t, page)
		list, err := blocks(page, text)
		if err != nil {
			t.Error(err)
		}
		for _, b := range list {
			if b.lang != "sh" && b.lang != "console" {
				continue
			}
			for _, c := range b.commands() {
				for _, args := range calls(c.text) {
					if _, err := parse(args, false); err != nil {
						t.Errorf("%s:%d: %s: %v", page, c.line, c.text, err)
					}
				}
			}
		}
		for i, paragraph := range strings.Split(prose(text), "\n\n") {
			for _, m := range span.FindAllStringSubmatch(strings.Join(strings.Fields(paragraph), " "), -1) {
				for _, args := range calls(m[1]) {
					if _, err := parse(args, true); err != nil {
						t.Errorf("%s, paragraph %d: `%s`: %v", page, i+1, m[1], err)
					}
				}
			}
		}
	}
}

// prose is a page without its blocks.
func prose(text string) string {
	var kept []string
	inside := false
	for line := range strings.SplitSeq(text, "\n") {
		if fence.MatchString(line) {
			inside = !inside
		} else if !inside {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// A command that there is not, a flag that it does not have and arguments that it
// does not take are faults.
func TestCalls_faults(t *testing.T) {
	t.Parallel()
	for line, fault := range map[string]bool{
		"sudo -u hookgate hookgate events send sitejet --sample":             false,
		"docker compose exec hookgate-1 hookgate events lists":               true,
		"hookgate samples show sitejet | ../hookgate explain - --from x":     true,
		"source <(hookgate completion bash)":                                 false,
		"source <(hookgate completions bash)":                                true,
		"hookgate events list --where 'data.x == \"a | b\"' --since 7d":      false,
		"hookgate check > report.txt":                                        false,
		"hookgate check config.yaml twice":                                   true,
		"go run . demo --twice":                                              true,
		"sudo install hookgate /usr/local/bin/":                              false, // no call
		"HOOKGATE_URL=https://hooks.agency.example hookgate events list --x": true,
	} {
		var err error
		for _, args := range calls(line) {
			if _, err = parse(args, false); err != nil {
				break
			}
		}
		if (err != nil) != fault {
			t.Errorf("%s: %v", line, err)
		}
	}
}
