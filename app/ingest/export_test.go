package ingest

// What a table of the black-box tests reaches for.
var (
	Automatic = automatic
	Mailbox   = mailbox
	Recipient = recipient
)
