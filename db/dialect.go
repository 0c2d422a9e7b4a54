package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// dialect is what differs between the engines in SQL that they share.
type dialect struct {
	// dollar: parameters are $1 where the shared text has ?1.
	dollar bool
	// turn is the column that orders the deliveries of an ordering key.
	turn string
	// turnColumn and turnValue go into the insert of a delivery whose ordering
	// key is ?6.
	turnColumn, turnValue string
	// nextTurn is the turn behind all open deliveries of the key ?3 of the
	// connection ?2.
	nextTurn string
	// skipLocked ends a query for rows to claim.
	skipLocked string
	// hold ends a query for rows of events that retention, which works beside
	// the committers there, must leave until the transaction ends.
	hold string
	// lock ends a query for rows that a transaction is about to delete.
	lock string
	// clock is the current time in µs, where it is not the process's own.
	clock string
	// begun asks whether there are tables of hookgate's.
	begun string
	// byForm follows the table of events in a query that is to go by events_form.
	byForm string
	// each is the entries of a JSON list, ?1, as j.value.
	each string
	// among is the condition that a column, %s, is one of a list of numbers, and
	// numbers the list as the parameter that %s names in it. The list is one
	// parameter, so that the text of a query does not depend on its length.
	among   string
	numbers func(list []int64) any
	// amongTexts and texts are the same for a list of texts.
	amongTexts string
	texts      func(list []string) any
}

// On one machine one clock makes the IDs, so that they order a key's
// deliveries. On several they do not.
func sqliteDialect() dialect {
	return dialect{
		turn:     "coalesce(turn, id)",
		nextTurn: "(SELECT coalesce(max(coalesce(d.turn, d.id)), 0) + 1 FROM deliveries d WHERE d.state = 0 AND d.key IS NOT NULL AND d.connection = ?2 AND d.key = ?3)",
		begun:    `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'goose_db_version')`, each: "json_each(?1) AS j",
		byForm: " INDEXED BY events_form",
		among:  "%s IN (SELECT value FROM json_each(%s))", numbers: numbersInJSON,
		amongTexts: "%s IN (SELECT value FROM json_each(%s))", texts: textsInJSON,
	}
}

// isAmong is the condition that column is one of the numbers that ?1 lists.
func (d dialect) isAmong(column string) string { return fmt.Sprintf(d.among, column, "?1") }

// numbersInJSON writes a list of numbers as JSON.
func numbersInJSON(list []int64) any {
	text := []byte{'['}
	for i, n := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(append(text, ']'))
}

// textsInJSON writes a list of texts as JSON.
func textsInJSON(list []string) any {
	text, _ := json.Marshal(list) // texts never fail
	return string(text)
}

func postgresDialect() dialect {
	return dialect{
		dollar: true, turn: "turn", nextTurn: "nextval('deliveries_turn')", turnColumn: ", turn", turnValue: ", CASE WHEN CAST(?6 AS TEXT) IS NOT NULL THEN nextval('deliveries_turn') END",
		skipLocked: " FOR UPDATE SKIP LOCKED", hold: " FOR KEY SHARE", lock: " FOR UPDATE", clock: "now_us()", begun: `SELECT to_regclass('goose_db_version') IS NOT NULL`,
		each:  "jsonb_array_elements(CAST(?1 AS jsonb)) AS j(value)",
		among: "%s = ANY (CAST(%s AS bigint[]))", numbers: func(list []int64) any { return list },
		amongTexts: "%s = ANY (CAST(%s AS text[]))", texts: func(list []string) any { return list },
	}
}

var parameter = regexp.MustCompile(`\?([0-9]+)`)

// bound are the queries that bind has translated: few, but for those that are
// built for a filter.
type bound struct{ known sync.Map }

// bind writes query's parameters as PostgreSQL wants them.
func (b *bound) bind(query string) string {
	if known, ok := b.known.Load(query); ok {
		return known.(string)
	}
	text := parameter.ReplaceAllString(query, `$$$1`)
	b.known.Store(query, text)
	return text
}

// clean replaces what PostgreSQL's text cannot hold: NUL, and bytes that are
// not UTF-8. Keys that differ in nothing else become one key: their order is
// stricter then, never looser.
func clean(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "\u2400")
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return text
}

// Clean replaces in a row what PostgreSQL cannot hold, and returns it: see clean.
func Clean(args []any) []any {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = clean(text)
		}
	}
	return args
}

// pool reads; its queries are written with ?1, ?2, ….
type pool struct {
	db      *sql.DB
	dialect dialect
	bound   *bound
	watch   func(query string) // told of each query; nil: nobody wants to know
}

func newPool(db *sql.DB, d dialect) pool { return pool{db: db, dialect: d, bound: &bound{}} }

// QueryContext is that of sql.DB.
func (p pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	p.noted(query)
	if p.dialect.dollar {
		query, args = p.bound.bind(query), Clean(args)
	}
	return p.db.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of sql.DB.
func (p pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	p.noted(query)
	if p.dialect.dollar {
		query, args = p.bound.bind(query), Clean(args)
	}
	return p.db.QueryRowContext(ctx, query, args...)
}

func (p pool) noted(query string) {
	if p.watch != nil {
		p.watch(query)
	}
}

func (p pool) Close() error { return p.db.Close() }
