package db

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// Remedy is what a person can do about an error of opening a PostgreSQL
// database; "" where the error says it, or nothing is known. It holds nothing of
// the URL.
func Remedy(err error) string {
	for _, known := range []struct {
		err    error
		remedy string
	}{
		{ErrBadURL, "look at what is behind its ?, and in the password write %40 for @, %2F for /, %3A for :, %23 for #, %3F for ?"},
		{errPooled, "have it give each connection a session of its own: pool_mode = session in PgBouncer. Or connect without it"},
		{errEncoding, "make another one: CREATE DATABASE hookgate ENCODING 'UTF8' TEMPLATE template0"},
		{errTooOld, "hookgate needs version 13 or later"},
		{errNoSchema, "make the one that the URL's search_path names: CREATE SCHEMA name AUTHORIZATION role"},
		{syscall.ECONNREFUSED, "is the server running, does it listen on that address (listen_addresses), and is the port right?"},
	} {
		if errors.Is(err, known.err) {
			return known.remedy
		}
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return remedyOf(pe)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "is the host's name in the URL right, and known to this machine?"
	}
	if isCertificate(err) {
		return "give the authority that signed the server's certificate: sslrootcert=FILE in the URL; its name must be that of the host, unless sslmode=verify-ca"
	}
	for text, remedy := range map[string]string{ // pgx has no names for them
		"server refused TLS connection": "the server has no TLS: set ssl = on there, or sslmode=disable in the URL if the network is yours",
		"server is in standby mode":     standbyRemedy,
	} {
		if strings.Contains(err.Error(), text) {
			return remedy
		}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "nothing answers at that address: is it right, and does a firewall let this machine through?"
	}
	return ""
}

const standbyRemedy = "this is a standby, or a database that is set to read-only: name the primary in the URL, or all hosts and hookgate looks for it"

func isCertificate(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.HostnameError](err)
	return ok
}

// remedyOf goes by the codes of PostgreSQL's appendix A, "Error Codes".
func remedyOf(err *pgconn.PgError) string {
	switch err.Code {
	case "28P01": // invalid password
		return "the user or the password in the URL is wrong"
	case "28000": // invalid authorization: pg_hba.conf has no line, or wants TLS
		return "the server does not let this user in from here: see its pg_hba.conf, and whether it wants sslmode=require"
	case "3D000": // no such database
		return "make it: CREATE DATABASE name OWNER role ENCODING 'UTF8'"
	case "42501": // insufficient privilege
		return "the role must be able to make tables: ALTER DATABASE name OWNER TO role, or GRANT USAGE, CREATE ON SCHEMA name TO role"
	case "53300": // too many connections
		return "each replica uses up to 11 connections: raise max_connections, or the limit of the role or the database"
	case readOnly:
		return standbyRemedy
	case "57P03": // cannot connect now
		return "the server is starting or stopping: try again in a moment"
	case "08P01", "42P05", "26000": // protocol violation, a pooler's word for what it does not know; statements prepared twice, or not
		return "is there a pooler in between? It must work in session mode"
	case "42704": // no such parameter
		return "what is behind the ? of the URL must be known to PostgreSQL"
	}
	return ""
}
