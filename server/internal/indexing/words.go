package indexing

import (
	"encoding/hex"
	"hash/fnv"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// indexWords brings up to date by which words the touched records are found. What is deleted is found by none.
func (x *indexer) indexWords() error {
	ids := make([]hlc.ID, 0, len(x.touched))
	wanted := make(map[hlc.ID]Document, len(x.touched))
	var of wordsOf
	for _, t := range x.touched {
		ids = append(ids, t.record)
		if words := of.document(x.records[t.record]); words != "" {
			wanted[t.record] = Document{Record: t.record, Number: numberOf(x.changes.Cursor, t.position), Digest: digest(words), Words: words}
		}
	}
	stored, err := x.tx.Documents(ids)
	if err != nil {
		return err
	}
	documents := &x.changes.Documents
	for _, old := range stored {
		d, ok := wanted[old.Record]
		delete(wanted, old.Record)
		switch {
		case !ok:
			documents.Drop = append(documents.Drop, old)
		case d.Digest != old.Digest:
			d.Number = old.Number
			documents.Put = append(documents.Put, d)
		}
	}
	for _, id := range ids {
		if d, ok := wanted[id]; ok {
			documents.Put = append(documents.Put, d)
		}
	}
	return nil
}

// positionBits is how many bits of a document's number are its position in the log. Those above are the deployment's number.
const positionBits = 40

func numberOf(c Cursor, position uint64) uint64 { return c.Number<<positionBits | position }

func positionOf(number uint64) uint64 { return number & (1<<positionBits - 1) }

func digest(words string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(words))
	return h.Sum64() >> 1 // databases have 63 bits
}

// Marks tell by whom a document may be seen, and its kind. No word of a text has the sign that they begin with.
const confidentialMark = "§c"

func teamMark(team hlc.ID) string { return "§t" + hex.EncodeToString(team[:]) }

func kindMark(k record.Kind) string { return "§k" + strconv.Itoa(int(k)) }

// wordsOf finds the words of one record after the other, in the same memory.
type wordsOf struct{ all []string }

// document are the words of a record, with marks; empty when it is nil or deleted, or has no text.
func (w *wordsOf) document(e *entry) string {
	if e == nil || e.registers.Deleted() {
		return ""
	}
	all := w.all[:0]
	for _, text := range texts(e.Kind, e.registers) {
		all = appendWords(all, text)
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	all = append(slices.Compact(all), teamMark(e.Audience), kindMark(e.Kind))
	if record.Confidential(e.Kind) {
		all = append(all, confidentialMark)
	}
	w.all = all
	return strings.Join(all, " ")
}

// run is a part of a text that is searched as one: a word or number, or Chinese characters without anything between.
type run struct {
	han  bool
	text string
	// from and to are where it stands, in bytes.
	from, to int
}

// maxWord is how many bytes of a word count: what is longer was not written to be found.
const maxWord = 64

// runs are those of a text. Case and width make no difference.
func runs(text string) iter.Seq[run] {
	return func(yield func(run) bool) {
		var folded []byte
		begun, han, from := false, false, 0
		end := func(at int) bool {
			if !begun {
				return true
			}
			begun = false
			r := run{han, text[from:at], from, at}
			if !han { // Chinese characters have neither case nor width
				r.text = string(folded)
			}
			return yield(r)
		}
		for at, r := range text {
			if r >= '！' && r <= '～' { // full width
				r -= '！' - '!'
			}
			isHan := (r >= '一' && r <= '鿿') || unicode.Is(unicode.Han, r) // nearly all are among the first
			part := isHan || unicode.IsLetter(r) || unicode.IsDigit(r)
			if (!part || isHan != han) && !end(at) {
				return
			}
			if part && !begun {
				begun, han, from, folded = true, isHan, at, folded[:0]
			}
			if part && !isHan && len(folded) < maxWord {
				folded = utf8.AppendRune(folded, unicode.ToLower(r))
			}
		}
		end(len(text))
	}
}

// appendWords appends what the index has of a text: its words and numbers, each two Chinese characters that stand together, and the
// first of each run of them, so that a surname alone finds something.
func appendWords(words []string, text string) []string {
	for r := range runs(text) {
		words = r.appendAsked(words)
		if r.han && !r.single() {
			words = append(words, r.text[:r.first()])
		}
	}
	return words
}

// appendAsked appends the words that the index must have of a text that has the run.
func (r run) appendAsked(words []string) []string {
	if !r.han || r.single() {
		return append(words, r.text)
	}
	before := 0
	for at := r.first(); at < len(r.text); {
		_, size := utf8.DecodeRuneInString(r.text[at:])
		words = append(words, r.text[before:at+size])
		before, at = at, at+size
	}
	return words
}

// single reports whether it is one Chinese character.
func (r run) single() bool { return r.han && r.first() == len(r.text) }

// first is how many bytes its first character has.
func (r run) first() int {
	_, size := utf8.DecodeRuneInString(r.text)
	return size
}

// among reports whether a text that has some runs has this one.
func (r run) among(text []run) bool {
	for _, o := range text {
		for range r.within(o) {
			return true
		}
	}
	return false
}

// within are where it stands in a run of a text, in bytes of that text: a word where that is the same, Chinese characters
// wherever they stand together, and a single one where that begins with it.
func (r run) within(o run) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		switch {
		case o.han != r.han:
		case !r.han:
			if o.text == r.text {
				yield(o.from, o.to)
			}
		case r.single():
			if strings.HasPrefix(o.text, r.text) {
				yield(o.from, o.from+len(r.text))
			}
		default: // characters stand in the text as they stand in the run
			for at := 0; ; {
				i := strings.Index(o.text[at:], r.text)
				if i < 0 || !yield(o.from+at+i, o.from+at+i+len(r.text)) {
					return
				}
				at += i + len(r.text)
			}
		}
	}
}

// texts are all that a record has, each with the number of its field.
func texts(k record.Kind, registers record.Registers) iter.Seq2[protowire.Number, string] {
	return func(yield func(protowire.Number, string) bool) {
		for _, f := range textFields[k] {
			more := f.each(registers.Get(f.number).Value, func(text string) bool { return yield(f.number, text) })
			if !more {
				return
			}
		}
	}
}

// textField is a field that is a text, or a message that has some. It may repeat.
type textField struct {
	number protowire.Number
	within []textField
}

// each hands on the texts in an encoded field.
func (f textField) each(encoded []byte, yield func(string) bool) bool {
	for content, rest := record.CutBytes(encoded); content != nil; content, rest = record.CutBytes(rest) {
		if f.within == nil {
			if !yield(string(content)) {
				return false
			}
			continue
		}
		for len(content) > 0 {
			number, _, size := protowire.ConsumeField(content)
			if size < 0 {
				break
			}
			for _, inner := range f.within {
				if inner.number == number && !inner.each(content[:size], yield) {
					return false
				}
			}
			content = content[size:]
		}
	}
	return true
}

// textFields are those of each kind. Codes of places are left out: people look for names.
var textFields = func() map[record.Kind][]textField {
	of := map[record.Kind][]textField{}
	for _, k := range record.Kinds() {
		of[k] = textFieldsOf(record.New(k).ProtoReflect().Descriptor())
	}
	return of
}()

func textFieldsOf(m protoreflect.MessageDescriptor) []textField {
	var all []textField
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		switch {
		case f.Kind() == protoreflect.StringKind && (m.Name() != "Place" || f.Name() != "code"):
			all = append(all, textField{number: f.Number()})
		case f.Kind() == protoreflect.MessageKind:
			if within := textFieldsOf(f.Message()); within != nil {
				all = append(all, textField{f.Number(), within})
			}
		}
	}
	return all
}
