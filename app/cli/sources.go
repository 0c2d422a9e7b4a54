package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/app/ingest/source"
	"hookgate/internal/diag"
)

func newSources(s *session) *cobra.Command {
	return group("sources", groupOperate, "Look at the sources of the config", newSourcesList(s), newSourcesURL(s), newFields(s, false))
}

func newSourcesURL(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "url NAME", Short: "Print the URL to paste at the sender, with its token",
		Example: `  hookgate sources url sitejet`,
		Args:    exactly("the name of a source or form"),
		RunE: func(_ *cobra.Command, args []string) error {
			loaded, _, err := s.loadRules() // values of other parts do not matter
			if err != nil {
				return err
			}
			for _, in := range inbounds(loaded.Config) {
				if in.name == args[0] {
					return s.printURL(&in, loaded.Config.Server.PublicURL != "")
				}
			}
			if src := loaded.Sources[args[0]]; src != nil && !src.Posted() {
				return &failure{code: exitNotFound, err: fmt.Errorf("nobody posts to %s: it has no URL", args[0]), hint: "hookgate events send " + args[0] + " makes an event of it by hand"}
			}
			return &failure{
				code: exitNotFound, err: fmt.Errorf("the config has no source or form %q", args[0]),
				hint: diag.Among(args[0], inboundNames(loaded.Config)),
			}
		},
	}
}

func (s *session) printURL(in *inbound, public bool) error {
	if strings.Contains(in.token, "${") {
		return &failure{code: exitConfig, err: fmt.Errorf("the token of %s is %s, which is not set", in.name, in.token)}
	}
	if !public {
		s.note("server.public_url is not set: nobody outside of this machine or its network reaches this address")
	}
	if s.json {
		return s.printJSON(map[string]string{"name": in.name, "url": in.whole()})
	}
	s.out.Println(in.whole())
	return nil
}

// inbound is where a source or form is posted to.
type inbound struct {
	name  string
	base  string // public URL without a slash at its end
	path  string // /in/NAME or /f/NAME
	token string // part of the URL; a secret
}

func (in *inbound) whole() string {
	if in.token == "" {
		return in.base + in.path
	}
	return in.base + in.path + "/" + url.PathEscape(in.token)
}

func (in *inbound) masked() string {
	if in.token == "" {
		return in.base + in.path
	}
	return in.base + in.path + "/••••"
}

// inbounds lists the sources and forms that have an address, in the order of the
// config.
func inbounds(doc *config.Config) []inbound {
	base := doc.Server.BaseURL()
	var list []inbound
	for _, e := range doc.Sources {
		if source.HasURL(e.Node.Get("type").Text().Value) {
			list = append(list, inbound{name: e.Name.Value, base: base, path: "/in/" + e.Name.Value, token: e.Node.Get("token").Text().Value})
		}
	}
	for _, form := range doc.Forms {
		list = append(list, inbound{name: form.Name.Value, base: base, path: "/f/" + form.Name.Value, token: form.Node.Get("token").Text().Value})
	}
	return list
}

func inboundNames(doc *config.Config) []string {
	var names []string
	for _, in := range inbounds(doc) {
		names = append(names, in.name)
	}
	return names
}

// listedSource is a source as sources list prints it.
type listedSource struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	URL      string          `json:"url,omitempty"`
	Schedule *admin.Schedule `json:"schedule,omitempty"`
}

func newSourcesList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the sources of the config, with their addresses or the times at which they make events",
		Example: `  hookgate sources list`,
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			loaded, _, err := s.loadRules() // values of other parts do not matter
			if err != nil {
				return err
			}
			list := s.listSources(loaded)
			if s.json {
				return s.printJSON(map[string]any{"items": list})
			}
			s.printSources(list)
			return nil
		},
	}
}

func (s *session) listSources(loaded *app.Plan) []listedSource {
	addresses := map[string]string{}
	for _, in := range inbounds(loaded.Config) {
		addresses[in.name] = in.masked()
	}
	list := []listedSource{}
	for _, e := range loaded.Config.Sources {
		one := listedSource{Name: e.Name.Value, Type: e.Node.Get("type").Text().Value, URL: addresses[e.Name.Value]}
		if src := loaded.Sources[one.Name]; src != nil && src.Schedule() != nil {
			one.Schedule = admin.NewSchedule(src.Schedule(), s.now())
		}
		list = append(list, one)
	}
	return list
}

func (s *session) printSources(list []listedSource) {
	if len(list) == 0 {
		s.note("the config has no sources")
		return
	}
	var rows [][]string
	for _, one := range list {
		where := one.URL
		switch {
		case one.Schedule != nil:
			where = one.Schedule.Words + " (" + one.Schedule.Timezone + ")"
			if one.Schedule.Only != "" {
				where += ", only during " + one.Schedule.Only
			}
		case where == "":
			where = "hookgate events send " + one.Name + " FILE"
		}
		rows = append(rows, []string{s.out.Name.Render(one.Name), one.Type, where})
		if one.Schedule != nil {
			next := make([]string, len(one.Schedule.Next))
			for i, at := range one.Schedule.Next {
				next[i] = dayTime(at)
			}
			rows = append(rows, []string{"", "", s.out.Dim.Render("next " + strings.Join(next, ", "))})
		}
	}
	s.out.Printf("%s", s.out.Table([]string{"SOURCE", "TYPE", "WHERE, OR WHEN"}, rows))
}
