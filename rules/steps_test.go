package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hookgate/internal/event"
	"hookgate/internal/jsondoc"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// clientRule is a chain of five: what comes after both, a fallback, and what comes
// however it ends.
const clientRule = `
rules:
  - name: client
    from: shop
    then:
      - { to: slack, after: [contact, project], text: "${{ outputs.project.url }}" }
      - { step: contact, to: billing, when: data.skip != true, json: { a: 1 } }
      - { step: project, to: billing, after: contact, json: { crm: "${{ outputs.contact.id }}" } }
      - { to: slack, after: { contact: failed }, text: "by hand: ${{ errors.contact }}" }
      - { to: billing, after: { project: ended }, json: { project: "${{ outputs.project?.id }}" } }
`

// run is a chain over memory: what is made has the state that the test gives it.
type run struct {
	t     *testing.T
	set   *rules.Set
	sc    *lang.Scope
	made  []*event.Progress
	names []string
	out   []string
}

func newRun(t *testing.T, text, data string) *run {
	t.Helper()
	set, faults := compile(t, text)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	doc, err := jsondoc.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	r := &run{t: t, set: set, sc: lang.NewScope(doc, lang.Meta{ID: "evt_1", Source: "shop", Time: time.Now()}, nil, nil)}
	outcome := set.Match(r.sc)
	for _, d := range outcome.Deliveries {
		r.names, r.made, r.out = append(r.names, d.Name()), append(r.made, nil), append(r.out, "")
		if !d.Later {
			r.begin(len(r.made)-1, &d)
		}
	}
	return r
}

func (r *run) begin(place int, d *rules.Rendered) {
	r.made[place], r.out[place] = &event.Progress{State: event.Waiting}, string(d.Output)
}

// end gives the one called name a state, and makes what follows.
func (r *run) end(name string, p event.Progress) {
	r.t.Helper()
	for i, n := range r.names {
		if n == name && r.made[i] != nil {
			r.made[i] = &p
		}
	}
	next, err := r.set.Follow(r.sc, rules.Ref{Rule: "client", Connection: "billing", Action: 1}, 0, r.made)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, n := range next {
		if r.made[n.Place] != nil {
			r.t.Fatalf("%s is made twice", r.names[n.Place])
		}
		r.begin(n.Place, &n.Rendered)
	}
}

// sent are the names of what is made, in the chain's order.
func (r *run) sent() string {
	var list []string
	for i, p := range r.made {
		if p != nil {
			list = append(list, r.names[i])
		}
	}
	return strings.Join(list, " ")
}

// What becomes of the chain with each of contact and project delivered, failed,
// retried by hand after it failed, or cancelled: all that is sent, ever.
func TestFollow(t *testing.T) {
	t.Parallel()
	const contact, project, both, fallback, archive = "client/billing", "client/billing#2", "client/slack", "client/slack#2", "client/billing#3"
	ends := map[string][]event.Progress{
		"delivered": {{State: event.Delivered, Outputs: event.TextOutputs(map[string]string{"id": "7", "url": "u"})}},
		"failed":    {{State: event.Failed, Error: "no"}},
		"retried":   {{State: event.Failed, Error: "no"}, {State: event.Waiting}, {State: event.Delivered, Outputs: event.TextOutputs(map[string]string{"id": "7", "url": "u"})}},
		"cancelled": {{State: event.Cancelled}},
	}
	for _, tc := range []struct{ contact, project, want string }{
		{"delivered", "delivered", contact + " " + project + " " + both + " " + archive},
		{"delivered", "failed", contact + " " + project + " " + archive},
		{"delivered", "retried", contact + " " + project + " " + both + " " + archive},
		{"delivered", "cancelled", contact + " " + project + " " + archive},
		{"failed", "", contact + " " + fallback + " " + archive},
		{"retried", "delivered", contact + " " + project + " " + both + " " + fallback + " " + archive},
		{"retried", "failed", contact + " " + project + " " + fallback + " " + archive},
		{"retried", "retried", contact + " " + project + " " + both + " " + fallback + " " + archive},
		{"retried", "cancelled", contact + " " + project + " " + fallback + " " + archive},
		{"cancelled", "", contact + " " + archive},
	} {
		t.Run(tc.contact+" "+tc.project, func(t *testing.T) {
			t.Parallel()
			r := newRun(t, clientRule, `{}`)
			if got := r.sent(); got != contact {
				t.Fatalf("at first: %s", got)
			}
			for _, p := range ends[tc.contact] {
				r.end(contact, p)
			}
			for _, p := range ends[tc.project] {
				r.end(project, p)
			}
			got := map[string]bool{}
			for name := range strings.FieldsSeq(r.sent()) {
				got[name] = true
			}
			want := strings.Fields(tc.want)
			for _, name := range want {
				if !got[name] {
					t.Errorf("%s is not sent", name)
				}
			}
			if len(got) != len(want) {
				t.Errorf("sent: %s, want %s", r.sent(), tc.want)
			}
			for i, name := range r.names {
				if r.made[i] == nil {
					continue
				}
				switch name {
				case project:
					if r.out[i] != `{"json":{"crm":"7"}}` {
						t.Errorf("the project is %s", r.out[i])
					}
				case fallback:
					if r.out[i] != `{"text":"by hand: no"}` {
						t.Errorf("the fallback is %s", r.out[i])
					}
				}
			}
		})
	}
}

// A step that is never sent has ended: what comes however it ends is sent at once.
func TestFollow_never(t *testing.T) {
	t.Parallel()
	r := newRun(t, clientRule, `{"skip":true}`)
	if got := r.sent(); got != "client/billing#3" {
		t.Errorf("sent: %s", got)
	}
}

// A late condition that is false leaves a cancelled delivery with the reason.
func TestFollow_late(t *testing.T) {
	t.Parallel()
	set, faults := compile(t, `
rules:
  - name: client
    from: shop
    then:
      - { step: a, to: billing, json: 1 }
      - { step: b, to: billing, after: { a: ended }, when: outputs.a?.id == "1", json: "${{ outputs.a.id }}" }
`)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"1": "true  1", "2": `false outputs.a?.id == "1": it is "2" <nil>`} {
		doc, _ := jsondoc.Parse([]byte(`{}`))
		sc := lang.NewScope(doc, lang.Meta{Source: "shop"}, nil, nil)
		next, err := set.Follow(sc, rules.Ref{Rule: "client", Connection: "billing", Action: 1}, 0, []*event.Progress{{State: event.Delivered, Outputs: event.TextOutputs(map[string]string{"id": id})}, nil})
		if err != nil || len(next) != 1 {
			t.Fatal(next, err)
		}
		if got := fmt.Sprintf("%t %s", next[0].Sent, next[0].Reason); !strings.HasPrefix(want, got) {
			t.Errorf("%s: %s", id, got)
		}
	}
}

// Faults of steps tell their place and the remedy.
func TestSteps_faults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{ step: a, to: slack, text: x }, { to: slack, after: b, text: x }`:                                                  `unknown-step: the rule has no step "b"`,
		`{ to: slack, after: b, text: x }`:                                                                                   `unknown-step: the rule has no step "b"`,
		`{ step: a, to: slack, after: b, text: x }, { step: b, to: slack, after: a, text: x }`:                               `after-cycle: a, b come after each other in a circle; after-cycle: a, b come after each other in a circle`,
		`{ step: a, to: slack, after: a, text: x }`:                                                                          `after-cycle: a come after each other in a circle`,
		`{ step: a, to: slack, text: x }, { step: a, to: slack, text: x }`:                                                   `duplicate-name: there is a step "a" already, in line 1`,
		`{ step: a-b, to: slack, text: x }`:                                                                                  `bad-name: "a-b" cannot be the name of a step`,
		`{ step: a, to: slack, text: x }, { to: slack, after: { a: success }, text: x }`:                                     `bad-value: "a" is to be delivered, failed or ended`,
		`{ step: a, to: slack, text: x }, { to: slack, text: "${{ outputs.a.id }}" }`:                                        `expr-name: unknown name "outputs"`,
		`{ step: a, to: slack, text: x }, { step: b, to: slack, text: x }, { to: slack, after: a, text: "${{ errors.b }}" }`: `expr-name: errors has no "b"`,
		`{ step: a, to: slack, text: x }, { to: slack, after: [], text: x }`:                                                 `empty-value: "after" names no step`,
		`{ step: a, to: slack, text: x }, { to: slack, needs: a, text: x }`:                                                  `unknown-key: an action to Slack has no key "needs"`,
	} {
		_, faults := compile(t, "rules: [{ name: r, from: shop, then: ["+text+"] }]")
		var got []string
		for _, f := range faults {
			got = append(got, f.Code+": "+f.Message)
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s:\n got %s\nwant %s", text, strings.Join(got, "; "), want)
		}
	}
}

// What is remembered after a step is made when its turn comes, of what the step was
// answered; what cannot be is told as of any action, and the rule has matched.
func TestFollow_remember(t *testing.T) {
	t.Parallel()
	const text = `
rules:
  - name: client
    from: shop
    then:
      - { step: contact, to: billing, json: { a: 1 } }
      - { after: contact, remember: { table: sites, key: outputs.contact.id, set: { mail: "${{ data.mail }}", url: "${{ outputs.contact.url }}" } } }
      - { after: { contact: ended }, when: data.count != false, remember: { table: sites, key: '"all"', add: { n: "${{ outputs.contact?.n ?? 0 }}" } } }
      - { after: { contact: failed }, when: 'errors.contact contains "twice"', remember: { table: sites, key: data.mail, set: { twice: true } } }
`
	for _, tc := range []struct {
		name, data string
		ended      event.Progress
		want       []string // by place: the record, the reason, or the error
	}{
		{"delivered", `{"mail":"a@b"}`, event.Progress{State: event.Delivered, Outputs: event.TextOutputs(map[string]string{"id": "7", "url": "u"})}, []string{
			"", `{"table":"sites","key":"7","set":{"mail":"a@b","url":"u"}}`, `{"table":"sites","key":"all","add":{"n":0}}`, "",
		}},
		{"answered without", `{"mail":"a@b"}`, event.Progress{State: event.Delivered, Outputs: event.TextOutputs(map[string]string{"n": "many"})}, []string{
			"", "cancelled: outputs.contact.id is missing: nothing is remembered", `failed: remember: sites "all": n: "many" is no number that can be added`, "",
		}},
		{"failed", `{"mail":"a@b","count":false}`, event.Progress{State: event.Failed, Error: "it is there twice"}, []string{"", "", "", `{"table":"sites","key":"a@b","set":{"twice":true}}`}},
		{"failed otherwise", `{"mail":"a@b"}`, event.Progress{State: event.Failed, Error: "no"}, []string{
			"", "", `{"table":"sites","key":"all","add":{"n":0}}`, `cancelled: errors.contact contains "twice": it is "no"`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			set, faults := compileTables(t, text)
			if len(faults) != 0 {
				t.Fatal(faults)
			}
			doc, err := jsondoc.Parse([]byte(tc.data))
			if err != nil {
				t.Fatal(err)
			}
			sc := lang.NewScope(doc, lang.Meta{ID: "evt_1", Source: "shop", Time: time.Now()}, nil, nil)
			if out := set.Match(sc); len(out.Records) != 0 || len(out.Deliveries) != 4 || !out.Deliveries[1].Later {
				t.Fatalf("at acceptance: %+v", out)
			}
			list, err := set.Follow(sc, rules.Ref{Rule: "client", Connection: "billing", Action: 1}, event.Followed, []*event.Progress{&tc.ended, nil, nil, nil})
			if err != nil {
				t.Fatal(err)
			}
			got := make([]string, 4)
			for _, n := range list {
				switch {
				case n.Err != "":
					got[n.Place] = "failed: " + n.Err
				case !n.Sent:
					got[n.Place] = "cancelled: " + n.Reason
				case n.Record == nil:
					t.Errorf("nothing is written: %+v", n)
				default:
					got[n.Place] = string(n.Output)
				}
				if n.Connection != rules.RememberName || n.Rule != "client" || n.Action != n.Place {
					t.Errorf("it is called %s", n.Name())
				}
			}
			if strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
				t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}
