package db

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgtype"
)

// column is a parameter that has a value for each row of a batch: a
// one-dimensional array as PostgreSQL's binary format has it (array_recv in
// its source), written as the values come. To have pgx make them of slices was
// a fifth of what a replica allocated under load.
type column struct {
	element uint32 // the OID of the values' type
	rows    uint32
	nulls   bool
	values  []byte // each with its length before it
}

// mostKept is how large a buffer may be that is kept for the next batch, in bytes.
const mostKept = 1 << 20

// reset empties c for values of a type.
func (c *column) reset(element uint32) {
	if cap(c.values) > mostKept {
		c.values = nil
	}
	*c = column{element: element, values: c.values[:0]}
}

// begin begins a value of so many bytes.
func (c *column) begin(size int) {
	c.rows++
	c.values = binary.BigEndian.AppendUint32(c.values, uint32(size)) //nolint:gosec // bodies are limited to far less
}

func (c *column) int16(v int16) {
	c.begin(2)
	c.values = binary.BigEndian.AppendUint16(c.values, uint16(v)) //nolint:gosec // the same bits
}

func (c *column) int32(v int32) {
	c.begin(4)
	c.values = binary.BigEndian.AppendUint32(c.values, uint32(v)) //nolint:gosec // the same bits
}

func (c *column) int64(v int64) {
	c.begin(8)
	c.values = binary.BigEndian.AppendUint64(c.values, uint64(v)) //nolint:gosec // the same bits
}

func (c *column) bool(v bool) {
	c.begin(1)
	if v {
		c.values = append(c.values, 1)
		return
	}
	c.values = append(c.values, 0)
}

func (c *column) text(v string) {
	c.begin(len(v))
	c.values = append(c.values, v...)
}

// bytes adds v; nil is NULL.
func (c *column) bytes(v []byte) {
	if v == nil {
		c.null()
		return
	}
	c.begin(len(v))
	c.values = append(c.values, v...)
}

func (c *column) null() {
	c.rows, c.nulls = c.rows+1, true
	c.values = append(c.values, 0xff, 0xff, 0xff, 0xff)
}

// appendTo appends the array to dst.
func (c *column) appendTo(dst []byte) []byte {
	nulls := uint32(0)
	if c.nulls {
		nulls = 1
	}
	head := [...]uint32{1, nulls, c.element, c.rows, 1} // dimensions, whether there are NULLs, type, length, first index
	for _, n := range head {
		dst = binary.BigEndian.AppendUint32(dst, n)
	}
	return append(dst, c.values...)
}

// batchRows are the columns of a batch, kept for the memory that they have.
type batchRows struct {
	events     eventRows
	deliveries deliveryRows
	delivered  deliveredRows
	failed     failedRows
}

// columnTypes are the types of arrays that columns are sent as.
func columnTypes() []uint32 {
	return []uint32{pgtype.Int8ArrayOID, pgtype.Int4ArrayOID, pgtype.Int2ArrayOID, pgtype.BoolArrayOID, pgtype.TextArrayOID, pgtype.ByteaArrayOID}
}

// registerColumns teaches a connection's types to take a column.
func registerColumns(types *pgtype.Map) {
	buffer := new(columnBuffer)
	for _, oid := range columnTypes() {
		if t, ok := types.TypeForOID(oid); ok {
			types.RegisterType(&pgtype.Type{Name: t.Name, OID: oid, Codec: &columnCodec{Codec: t.Codec, buffer: buffer}})
		}
	}
}

// columnCodec is pgx's codec of an array, and takes a column too.
type columnCodec struct {
	pgtype.Codec
	buffer *columnBuffer
}

// PlanEncode implements pgtype.Codec.
func (c *columnCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(*column); ok && format == pgtype.BinaryFormatCode {
		return c.buffer
	}
	return c.Codec.PlanEncode(m, oid, format, value)
}

// columnBuffer is where the parameters of one statement after the other are
// put together. pgx would begin each time with a small buffer and let it grow.
type columnBuffer struct{ bytes []byte }

// Encode implements pgtype.EncodePlan. A buffer without content says that a
// statement begins: the one before is on its way then.
func (b *columnBuffer) Encode(value any, buf []byte) ([]byte, error) {
	if len(buf) == 0 {
		buf = b.bytes[:0]
	}
	buf = value.(*column).appendTo(buf)
	b.bytes = nil
	if cap(buf) <= mostKept {
		b.bytes = buf[:0]
	}
	return buf, nil
}
