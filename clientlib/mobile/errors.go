package mobile

import (
	"context"
	"errors"
	"slices"
	"strings"

	"levee/clientlib"
	"levee/clientlib/recordjson"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// failure is an error as an app gets it: gobind hands over its text alone.
type failure struct {
	code     string
	fields   []string
	sentence string
	cause    error
}

func (f *failure) Error() string {
	head := f.code
	if len(f.fields) > 0 {
		head += " " + strings.Join(f.fields, ",")
	}
	return head + ": " + f.sentence
}

func (f *failure) Unwrap() error { return f.cause }

// ErrorCode is the stable code in the text of an error of this package (getMessage of a Java exception, localizedDescription of an NSError), such as
// "record_missing". Of any other text it is "internal".
func ErrorCode(text string) string {
	code, _, _ := part(text)
	return code
}

// ErrorFields are the names of the fields that are wrong, in the text of an error, with commas between them, such as "minutes,next_on"; "" when it is
// about none.
func ErrorFields(text string) string {
	_, fields, _ := part(text)
	return fields
}

// ErrorSentence is the sentence for people in the text of an error, with a line for each field that is wrong. Of any other text it is the text itself.
func ErrorSentence(text string) string {
	_, _, sentence := part(text)
	return sentence
}

// part takes the text of a failure apart.
func part(text string) (code, fields, sentence string) {
	head, sentence, ok := strings.Cut(text, ": ")
	code, fields, _ = strings.Cut(head, " ")
	other := func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if !ok || code == "" || strings.ContainsFunc(code, other) || strings.Contains(fields, " ") {
		return string(problem.Internal), "", text
	}
	return code, fields, sentence
}

// fail puts an error into words; nil stays nil.
func (t *Tablet) fail(err error) error { return inWords(err, t.words.Load()) }

func inWords(err error, w *words.Words) error {
	var invalid *clientlib.InvalidError
	var unread *recordjson.Error
	var done *failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &done):
		return err
	case errors.As(err, &unread):
		f := &failure{code: unread.Code, sentence: unread.Message(w), cause: err}
		if unread.Field != "" {
			f.fields = []string{unread.Field}
		}
		return f
	case errors.As(err, &invalid):
		return invalidInWords(invalid, w)
	default:
		return &failure{code: clientlib.Code(err), sentence: clientlib.Message(err, w.Lang()), cause: err}
	}
}

// invalidInWords has a line for each field that is wrong, with its label, and the code of the first.
func invalidInWords(invalid *clientlib.InvalidError, w *words.Words) error {
	f := &failure{code: clientlib.Code(invalid), cause: invalid}
	var lines []string
	for _, p := range invalid.Problems {
		line := record.Message(p.Code, w.Lang())
		if name := invalid.FieldName(p); name != "" {
			line = w.Labelled(w.Field(fieldOf(invalid.Kind, name)), line)
			if !slices.Contains(f.fields, name) {
				f.fields = append(f.fields, name)
			}
		}
		lines = append(lines, line)
	}
	f.sentence = strings.Join(lines, "\n")
	return f
}

// wordsOf are those of a language, given by a tag such as "zh-Hans-CN".
func wordsOf(language string) *words.Words {
	primary, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(language), "_", "-"), "-")
	return words.In(primary)
}

// termsOf are the words of the tablet's deployment; those of none while the server has sent none.
func termsOf(ctx context.Context, s *clientlib.Store, w *words.Words) (*words.Terms, error) {
	d, err := s.Deployment(ctx)
	if clientlib.Code(err) == clientlib.CodeRecordMissing {
		return w.For(&recordv1.Deployment{}), nil
	}
	if err != nil {
		return nil, err
	}
	return w.For(d.Message), nil
}
