package lang

import (
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/parser/lexer"

	"hookgate/internal/diag"
)

// mistaken looks for what reads well and cannot be meant: x in "Done", event
// == "Done", a == "x" or "y". true: it is told, and nothing is left to check.
func (c *names) mistaken(x *ast.BinaryNode) bool {
	switch {
	case junction(x) != "":
		return c.halfComparison(x)
	case x.Operator == "in":
		return c.inText(x) || c.wholeRoot(x.Left, x.Right)
	case comparing[x.Operator]:
		return c.wholeRoot(x.Left, x.Right) || c.wholeRoot(x.Right, x.Left) || c.oneOf(x)
	}
	return false
}

// oneOf finds event.type and its like compared with a list, where in is meant.
func (c *names) oneOf(x *ast.BinaryNode) bool {
	member, ok := x.Left.(*ast.MemberNode)
	if !ok || !isList(x.Right) || x.Operator != "==" && x.Operator != "!=" {
		return false
	}
	if root, isRoot := member.Node.(*ast.IdentifierNode); !isRoot || !flat[root.Value] || c.scope != nil {
		return false
	}
	in := map[string]string{"==": "in", "!=": "not in"}[x.Operator]
	left, right := c.spans.text(x.Left), c.spans.text(x.Right)
	c.fault(x.Left, "expr-type", "write "+left+" "+in+" "+right, "%s is a text, and equal to no list", left)
	return true
}

// halfComparison finds a side of and, or that is a value, and no comparison.
func (c *names) halfComparison(x *ast.BinaryNode) bool {
	for _, side := range []ast.Node{x.Right, x.Left} {
		value, ok := constant(side)
		if _, isBool := value.(bool); !ok || isBool {
			continue
		}
		text := c.spans.text(side)
		hint := "write the comparison on both sides"
		if left, ok := lastOperand(x.Left).(*ast.BinaryNode); ok && side == x.Right && literal(left.Right) {
			subject := c.spans.text(left.Left)
			switch {
			case left.Operator == "==" && junction(x) == "or":
				hint = "write " + subject + " in [" + c.spans.text(left.Right) + ", " + text + "]"
			case comparing[left.Operator]:
				hint = "write … " + junction(x) + " " + subject + " " + left.Operator + " " + text
			}
		}
		c.fault(side, "expr-type", hint, "%s alone is not true or false", text)
		return true
	}
	return false
}

// lastOperand is the operand of a chain of and, or that stands last.
func lastOperand(n ast.Node) ast.Node {
	for junction(n) != "" {
		b, ok := n.(*ast.BinaryNode)
		if !ok {
			break
		}
		n = b.Right
	}
	return n
}

// inText finds in with something on its right that holds nothing.
func (c *names) inText(x *ast.BinaryNode) bool {
	value, ok := constant(x.Right)
	if !ok {
		return false
	}
	left, right := c.spans.text(x.Left), c.spans.text(x.Right)
	hint := "write " + left + " == " + right + ", or in [" + right + ", …]"
	if _, isText := value.(string); isText && literal(x.Left) {
		hint = "write " + right + " contains " + left
	}
	c.fault(x.Right, "expr-type", hint, `"in" needs a list, and this is %s`, diag.A(kindOf(value)))
	return true
}

// wholeRoot finds event, headers or query compared as if each were one value.
func (c *names) wholeRoot(root, other ast.Node) bool {
	id, ok := root.(*ast.IdentifierNode)
	value, isLiteral := constant(other)
	if list, isList := other.(*ast.ArrayNode); isList && literal(list) {
		isLiteral = true
	}
	if !ok || !isLiteral || value == nil && !isList(other) || c.scope != nil || !flat[id.Value] {
		return false
	}
	hint := map[string]string{"event": "write event.type", "headers": `write headers["x-name"]`, "query": "write query.name"}[id.Value]
	c.fault(id, "expr-type", hint, "%q is an object, and equal to no single value", id.Value)
	return true
}

func isList(n ast.Node) bool {
	_, ok := n.(*ast.ArrayNode)
	return ok
}

// flat are the names in scope that are always objects.
var flat = map[string]bool{"event": true, "headers": true, "query": true}

// filters are the words of other languages for our functions, in small letters.
var filters = map[string]string{
	"upcase": "upper", "uppercase": "upper", "touppercase": "upper", "toupper": "upper", "downcase": "lower", "lowercase": "lower", "tolowercase": "lower", "tolower": "lower",
	"strip": "trim", "size": "len", "length": "len", "json": "toJSON", "tojson": "toJSON", "stringify": "toJSON", "json_parse": "fromJSON", "parsejson": "fromJSON",
	"escape": "urlencode", "url_encode": "urlencode", "urlescape": "urlencode", "encodeuricomponent": "urlencode", "url_decode": "urldecode", "decodeuricomponent": "urldecode",
	"first": "first", "last": "last", "titlecase": "title", "title_case": "title", "titleize": "title", "proper": "title", "ucfirst": "capitalize", "slugify": "slug",
	"parameterize": "slug", "transliterate": "ascii", "unaccent": "ascii", "truncatechars": "truncate", "shorten": "truncate", "ellipsis": "truncate", "padstart": "pad_left",
	"lpad": "pad_left", "ljust": "pad_right", "padend": "pad_right", "rpad": "pad_right", "zfill": "pad_left", "striptags": "html_to_text", "strip_html": "html_to_text",
	"strip_tags": "html_to_text", "htmlspecialchars": "escape_html", "escapehtml": "escape_html", "markdown": "markdown_to_html", "markdownify": "markdown_to_html",
	"pluralize": "plural", "ifempty": "coalesce", "ifnull": "coalesce", "isempty": "is_empty", "empty": "is_empty", "isblank": "is_empty", "parseint": "number",
	"parsefloat": "number", "parsenumber": "number", "tonumber": "number", "to_number": "number", "val": "number", "tofixed": "round_to", "formatnumber": "format_number",
	"number_format": "format_number", "currency": "format_money", "money": "format_money", "formatcurrency": "format_money", "strftime": "format_time", "date_format": "format_time",
	"formatdate": "format_time", "format_date": "format_time", "dateformat": "format_time", "parsedate": "time", "parse_date": "time", "strptime": "time", "todate": "time",
	"to_date": "time", "todatetime": "time", "datetime": "time", "timestamp": "time", "dateadd": "add_time", "adddays": "add_time", "add_days": "add_time", "addmonths": "add_time",
	"datediff": "time_between", "date_diff": "time_between", "daysbetween": "time_between", "startof": "start_of", "endof": "end_of", "dayofweek": "weekday",
	"implode": "join_text", "unique": "uniq", "except": "omit", "without": "difference", "parsecsv": "csv", "tocsv": "to_csv", "parseurl": "parse_url",
	"querystring": "query_string", "isemail": "is_email", "firstname": "first_name", "lastname": "last_name", "regex_match": "match", "regexmatch": "match", "regexextract": "match",
	"regex_replace": "replace_match", "regexreplace": "replace_match", "replaceall": "replace", "substitute": "replace", "substring": "x[0:10]", "substr": "x[0:10]", "concatenate": "x + y",
}

// oursFor is how the word of another language is written here.
func oursFor(name string) string {
	switch word := filters[strings.ToLower(name)]; {
	case word == "" || word == name:
		return ""
	case strings.ContainsAny(word, " ["):
		return "write " + word
	default:
		return "write " + word + "(…)"
	}
}

// filterHint is what to write for x | name, where no parentheses follow.
func filterHint(subject, name string) string {
	if ours := filters[strings.ToLower(name)]; ours != "" && !strings.ContainsAny(ours, " [") {
		name = ours
	}
	switch {
	case name == "default":
		return "write (" + subject + ` ?? "…")`
	case added[name] != nil || isBuiltin(name):
		return "write " + name + "(" + subject + ")"
	}
	return "functions are written name(" + subject + ")"
}

func isBuiltin(name string) bool {
	_, ok := builtin.Index[name]
	return ok
}

// operators of texts, which people write as functions.
var textOperators = map[string]bool{"startsWith": true, "endsWith": true, "contains": true, "matches": true}

// calledOperator reports whether the operator at i is written as a function is:
// startsWith(x, "H").
func calledOperator(tokens []lexer.Token, i int) bool {
	if !textOperators[tokens[i].Value] || i+1 >= len(tokens) || !tokens[i+1].Is(lexer.Bracket, "(") {
		return false
	}
	if i == 0 {
		return true
	}
	before := tokens[i-1]
	return before.Kind == lexer.Operator && !before.Is(lexer.Operator, ".") || before.Is(lexer.Bracket, "(", "[", "{")
}

// calledArguments are the texts of f(a, b), whose bracket opens at i.
func (s *source) calledArguments(tokens []lexer.Token, i int) []string {
	var arguments []string
	depth, from := 0, i+1
	for j := i; j < len(tokens); j++ {
		t := tokens[j]
		switch {
		case t.Is(lexer.Bracket, "(", "[", "{"):
			depth++
			continue
		case t.Is(lexer.Bracket, ")", "]", "}"):
			depth--
		case !t.Is(lexer.Operator, ",") || depth != 1:
			continue
		}
		if depth == 0 || t.Is(lexer.Operator, ",") {
			start, _ := s.bytes(tokens[from].Location)
			end, _ := s.bytes(t.Location)
			arguments = append(arguments, strings.TrimSpace(s.code[start:end]))
			from = j + 1
		}
		if depth == 0 {
			return arguments
		}
	}
	return arguments
}

// otherTemplates are how other tools put a value into a text.
var otherTemplates = []*regexp.Regexp{
	regexp.MustCompile(`(?:^|[^$])(\{\{\{?\s*[=#/]?\s*[A-Za-z0-9_.$][^{}]*\}?\}\})`),
	regexp.MustCompile(`(?:^|[^$])(\{\{)\s*[A-Za-z.]`),
	regexp.MustCompile(`(\$\{\s*(?:data|event|headers|query)\b[^{}]*\})`),
	regexp.MustCompile(`(?:^|[^${])(\{\s*(?:data|event|headers|query)[.\[][^{}\s]*\s*\})`),
	regexp.MustCompile(`(<%[=-]?\s*[A-Za-z@][^%]*%>)`),
	regexp.MustCompile(`(\$\(\s*(?:data|event|headers|query)[.\[][^()]*\))`),
	regexp.MustCompile(`((?:%|\[)(?:data|event|headers|query)\.[\w.]+[%\]])`),
	regexp.MustCompile(`(?:^|[^\w$.])(\$(?:data|event|headers|query|json)\.[A-Za-z_][\w.]*)`),
	regexp.MustCompile(`^\s*(data(?:\.[A-Za-z_]\w*){2,}|event\.(?:id|type|source|time))\s*$`),
}

// otherTemplate is where a text puts a value in as other tools do, which here
// is sent as it stands, and what to write; from is -1 where there is none.
func otherTemplate(text string) (from, to int, hint string) {
	from = -1
	for _, form := range otherTemplates {
		place := form.FindStringSubmatchIndex(text)
		if place == nil || from >= 0 && place[2] >= from {
			continue
		}
		from, to = place[2], place[3]
		hint = "write ${{ … }} to put a value in"
		if path := strings.Trim(text[from:to], "${}()[]<%>=# "); ours.MatchString(path) {
			hint = "write ${{ " + ourPath(path) + " }}"
		}
	}
	return from, to, hint
}

var (
	ours        = regexp.MustCompile(`^(?:\$?json\.|[0-9]+\.)?[A-Za-z_][A-Za-z0-9_.\[\]"?]*$`)
	foreignRoot = regexp.MustCompile(`^(?:\$?json\.|[0-9]+\.)`)
)

// ourPath is a path of another tool as it is written here.
func ourPath(path string) string {
	path = foreignRoot.ReplaceAllString(path, "")
	root, _, _ := strings.Cut(path, ".")
	if roots[root] {
		return path
	}
	return "data." + path
}
