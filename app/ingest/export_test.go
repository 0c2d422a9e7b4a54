package ingest

import (
	"time"

	"hookgate/internal/yamlnode"
)

// What a table of the black-box tests reaches for.
var (
	Automatic = automatic
	Mailbox   = mailbox
	Recipient = recipient
	ReplyHeld = replyHeld
)

type (
	ReplyLimits = replyLimits
	Quotas      = quotas
)

func (q *quotas) Take(what string, n, limit int64, now time.Time) bool {
	return q.take(what, n, limit, now)
}

func (l *replyLimits) Take(form string, limit yamlnode.Rate, now time.Time) bool {
	return l.take(form, limit, now)
}
