package recipe

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"hookgate/connectors"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

// Class says what an answer means for the delivery.
type Class string

// The classes. Unclear leaves it to what the status means everywhere.
const (
	Delivered Class = "delivered"
	Permanent Class = "permanent"
	Transient Class = "transient"
	Expired   Class = "expired" // the access token: a new one may help
	Unclear   Class = ""
)

// Verdict is what the recipe says of an answer.
type Verdict struct {
	Class   Class
	Message string        // the vendor's words; "": the recipe finds none
	After   time.Duration // wait at least this long; 0: it does not say
}

// judge is how answers are judged.
type judge struct {
	success    *lang.Predicate // nil: any status from 200 to 299
	faults     []fault
	message    *lang.Template
	retryAfter *lang.Expression
}

// fault is one kind of answer that is known.
type fault struct {
	when    *lang.Predicate
	class   Class
	after   time.Duration
	message *lang.Template
}

type faultYAML struct {
	When    yamlnode.Text `yaml:"when,required"`
	Is      yamlnode.Text `yaml:"is,required"`
	After   time.Duration `yaml:"after"`
	Message yamlnode.Node `yaml:"message"`
}

// Noun is what messages call it.
func (faultYAML) Noun() string { return "an error" }

// answerCompiler compiles what is said of the answers to requests that can
// speak of names.
func answerCompiler(names []lang.Name) *lang.Compiler {
	return lang.NewCompilerFor(slices.Concat(names, connectors.AnswerNames())...)
}

// commonJudge is what the recipe says of every answer.
func (b *builder) commonJudge(y *recipeYAML) {
	c := answerCompiler(requestNames(b.recipe, lang.Name{Name: "input"}, nil))
	b.recipe.judge = b.judge(c, y.Success, y.Errors, y.Message, y.RetryAfter)
}

func (b *builder) judge(c *lang.Compiler, success yamlnode.Text, faults []faultYAML, message yamlnode.Node, retryAfter yamlnode.Text) judge {
	j := judge{success: b.predicate(c, success), message: b.text(c, message, nil), retryAfter: b.expression(c, retryAfter)}
	for _, y := range faults {
		f := fault{when: b.predicate(c, y.When), class: Class(y.Is.Value), after: y.After, message: b.text(c, y.Message, nil)}
		switch f.class {
		case Delivered, Permanent, Transient, Expired:
		case Unclear:
		default:
			b.add(y.Is.Diag("bad-value", "it can be permanent, transient, delivered, expired", `"is" cannot be %q`, y.Is.Value))
		}
		j.faults = append(j.faults, f)
	}
	return j
}

// Judge says what the answer to the request at hand means. What an expression
// cannot be asked of the answer is not true of it.
func (c *Call) Judge(a connectors.Answer) Verdict {
	s := c.action.steps[c.next]
	values := answerValues(c.values, a)
	scope := lang.NewValues(values)
	v := c.verdict(s, scope, a)
	if v.Class != Delivered {
		if v.Message != "" && s.name != "" {
			v.Message = s.name + ": " + v.Message
		}
		return v
	}
	if s.name != "" {
		steps := map[string]any{s.name: map[string]any{"status": a.Status, "headers": values["headers"], "body": values["body"]}}
		maps.Copy(steps, asMap(c.values["steps"]))
		c.values["steps"] = steps
	}
	c.next++
	c.last = a
	return v
}

// Outputs are what the action reads from the answer to its last request; what
// is not there is left out.
func (c *Call) Outputs() map[string]event.Output {
	return c.action.outputs.Read(lang.NewValues(answerValues(c.values, c.last)))
}

// Learned is what the action has to remember by its key, read from the answer
// to its last request.
func (c *Call) Learned() map[string]string {
	texts := map[string]string{}
	for name, value := range c.action.remember.Read(lang.NewValues(answerValues(c.values, c.last))) {
		texts[name] = value.String()
	}
	return texts
}

func asMap(value any) map[string]any {
	m, _ := value.(map[string]any)
	return m
}

// verdict asks the request's own judge first, then the recipe's.
func (c *Call) verdict(s *step, scope *lang.Scope, a connectors.Answer) Verdict {
	common := &c.recipe.judge
	v := Verdict{After: common.wait(scope)}
	success := s.judge.success
	if success == nil {
		success = common.success
	}
	good := a.Status >= 200 && a.Status <= 299
	if success != nil {
		good = holds(success, scope)
	}
	if good {
		v.Class = Delivered
		return v
	}
	message := common.message
	for _, f := range append(append([]fault(nil), s.judge.faults...), common.faults...) {
		if f.when == nil || !holds(f.when, scope) {
			continue
		}
		v.Class = f.class
		v.After = max(v.After, f.after)
		if f.message != nil {
			message = f.message
		}
		break
	}
	if message != nil {
		if text, err := renderText(message, scope, false); err == nil {
			v.Message = strings.Trim(strings.TrimSpace(text), ":;, ")
		}
	}
	return v
}

// holds reports whether a condition is true; one that cannot be answered is not.
func holds(p *lang.Predicate, s *lang.Scope) bool {
	verdict, err := p.Eval(s)
	return err == nil && verdict
}

// wait is how long the receiver asks to wait, by the recipe's own expression,
// in seconds.
func (j *judge) wait(s *lang.Scope) time.Duration {
	if j.retryAfter == nil {
		return 0
	}
	value, err := j.retryAfter.Eval(s)
	if err != nil {
		return 0
	}
	var seconds float64
	switch x := value.(type) {
	case int:
		seconds = float64(x)
	case float64:
		seconds = x
	}
	const most = 24 * 60 * 60
	return time.Duration(min(max(seconds, 0), most) * float64(time.Second))
}

// answerValues are the names in scope with an answer's among them.
func answerValues(values map[string]any, a connectors.Answer) map[string]any {
	out := a.Values()
	for name, value := range values {
		if _, taken := out[name]; !taken {
			out[name] = value
		}
	}
	return out
}

// Describe is the first line of an error for an answer: its status.
func Describe(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return fmt.Sprint(status)
}
