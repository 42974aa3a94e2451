package record

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/encoding/protowire"

	recordv1 "levee/syncproto/levee/record/v1"
)

// LinkageKeyField is the number of a Deployment's linkage key: under one key one person has one token, on whichever tablet, and
// under another key another.
const LinkageKeyField protowire.Number = 27

// LinkageKeyBytes is how long a linkage key is.
const LinkageKeyBytes = 32

// TokenBytes is how long a token is.
const TokenBytes = 16

// What a token costs: Argon2id with 19 MiB, two passes, one lane, which is what OWASP's Password Storage Cheat Sheet asks
// for at least. It is some 30 ms on a desktop and 50 to 200 ms on a cheap tablet, of which the memory must be free, too: RFC
// 9106's second choice, 64 MiB and three passes, would be a second there, for each person in a queue. Changing any of these
// makes other tokens.
const (
	tokenPasses    = 2
	tokenMemoryKiB = 19 << 10
	tokenLanes     = 1
)

// Identity is what a person is told apart by. Only what belongs to Basis is looked at. None of it is kept anywhere.
type Identity struct {
	Basis recordv1.TokenBasis
	// Phone is for TOKEN_BASIS_PHONE.
	Phone string
	// Name, BirthMonth (YYYYMM) and Village, a name or a code, are for TOKEN_BASIS_NAME_BIRTH_MONTH_VILLAGE.
	Name       string
	BirthMonth int32
	Village    string
	// IDNumber, of 18 digits or the older 15, is for TOKEN_BASIS_ID_NUMBER.
	IDNumber string
}

// IdentityPart is a part of an Identity.
type IdentityPart string

// The parts of an Identity.
const (
	IdentityBasis      IdentityPart = "basis"
	IdentityPhone      IdentityPart = "phone"
	IdentityName       IdentityPart = "name"
	IdentityBirthMonth IdentityPart = "birth_month"
	IdentityVillage    IdentityPart = "village"
	IdentityIDNumber   IdentityPart = "id_number"
)

// IdentityError says which part is missing or can't be right. What was written is not in it.
type IdentityError struct{ Part IdentityPart }

func (e *IdentityError) Error() string {
	return "no token can be made: " + string(e.Part) + " is missing or wrong"
}

// Token is the token of a person under a linkage key of LinkageKeyBytes: the same for all ways in which one person's identity
// is usually written. The error is an *IdentityError.
func Token(key []byte, i Identity) ([TokenBytes]byte, error) {
	text, err := i.Normal()
	if err != nil {
		return [TokenBytes]byte{}, err
	}
	return [TokenBytes]byte(argon2.IDKey([]byte(text), key, tokenPasses, tokenMemoryKiB, tokenLanes, TokenBytes)), nil
}

// Normal is what is hashed: a word for the basis, and the parts in their one form, a line each. No part has a line break
// in that form, so no two identities are the same text. The error is an *IdentityError.
func (i Identity) Normal() (string, error) {
	switch i.Basis {
	case recordv1.TokenBasis_TOKEN_BASIS_PHONE:
		phone, ok := normalPhone(i.Phone)
		if !ok {
			return "", &IdentityError{IdentityPhone}
		}
		return "phone\n" + phone, nil
	case recordv1.TokenBasis_TOKEN_BASIS_NAME_BIRTH_MONTH_VILLAGE:
		name, village := normalName(i.Name), normalVillage(i.Village)
		switch {
		case name == "":
			return "", &IdentityError{IdentityName}
		case i.BirthMonth < 1900_01 || i.BirthMonth > 2100_12 || i.BirthMonth%100 < 1 || i.BirthMonth%100 > 12:
			return "", &IdentityError{IdentityBirthMonth}
		case village == "":
			return "", &IdentityError{IdentityVillage}
		}
		return "name_birth_month_village\n" + name + "\n" + strconv.Itoa(int(i.BirthMonth)) + "\n" + village, nil
	case recordv1.TokenBasis_TOKEN_BASIS_ID_NUMBER:
		number, ok := normalIDNumber(i.IDNumber)
		if !ok {
			return "", &IdentityError{IdentityIDNumber}
		}
		return "id_number\n" + number, nil
	default:
		return "", &IdentityError{IdentityBasis}
	}
}

// Lengths of phone numbers in digits: of a village's own exchange, without area code; and with the country's.
const (
	minPhoneDigits = 7
	maxPhoneDigits = 17 // 00, and the 15 that there are at most
)

// normalPhone is a phone number as it is dialled within China, in digits alone; one of another country begins with 00.
func normalPhone(written string) (string, bool) {
	text := strings.TrimSpace(norm.NFKC.String(written))
	var digits strings.Builder
	if strings.HasPrefix(text, "+") {
		digits.WriteString("00")
	}
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case unicode.IsLetter(r), unicode.IsNumber(r): // an extension, a name, a second number
			return "", false
		}
	}
	number := digits.String()
	if home, ok := strings.CutPrefix(number, "0086"); ok {
		if number = home; !strings.HasPrefix(home, "0") && !isMobile(home) {
			number = "0" + home // +86 392 … is dialled 0392 …
		}
	}
	for _, before := range []string{"86", "0"} { // nobody's number, but written all the same
		if mobile, ok := strings.CutPrefix(number, before); ok && isMobile(mobile) {
			number = mobile
		}
	}
	switch {
	case len(number) < minPhoneDigits, len(number) > maxPhoneDigits:
		return "", false
	case number[0] == '1' && !isMobile(number): // a digit is missing, or is too many
		return "", false
	case strings.Trim(number, number[:1]) == "": // what people write who know none
		return "", false
	}
	return number, true
}

// isMobile reports whether digits are a mobile number of China.
func isMobile(digits string) bool {
	return len(digits) == 11 && digits[0] == '1' && digits[1] >= '3'
}

// normalName is a name without whatever people put between its parts, in lower case.
func normalName(written string) string {
	parts := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || strings.ContainsRune(dots, r) {
			return -1
		}
		return r
	}, norm.NFKC.String(written))
	return norm.NFKC.String(strings.Map(foldCherokee, cases.Fold().String(parts)))
}

// foldCherokee folds Cherokee as Unicode's CaseFolding.txt has it, to its capitals; package cases takes them for what is to be folded.
func foldCherokee(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}

// dots are what stands between the parts of a name, as in 阿卜杜拉·买买提, whichever the keyboard has.
const dots = ".\u00b7\u1427\u2022\u2027\u2219\u22c5\u2e31\u2e33\u30fb"

// villageWords are what some write behind a village's name and others do not, the longest first.
var villageWords = []string{"村民委员会", "行政村", "自然村", "村委会", "村"}

// normalVillage is the name of a village, or its code.
func normalVillage(written string) string {
	village := normalName(written)
	for _, word := range villageWords {
		if short, ok := strings.CutSuffix(village, word); ok && short != "" {
			return short
		}
	}
	return village
}

// normalIDNumber is the number of a resident's identity card 公民身份号码, with 18 places.
func normalIDNumber(written string) (string, bool) {
	number := strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, norm.NFKC.String(written)))
	var check byte
	switch len(number) {
	case 15: // issued until 1999
		number = number[:6] + "19" + number[6:]
	case 18:
		number, check = number[:17], number[17]
	default:
		return "", false
	}
	if strings.Trim(number, "0123456789") != "" || number[0] == '0' {
		return "", false
	}
	if born, _ := strconv.Atoi(number[6:14]); !Date(born).Valid() { //nolint:gosec // eight digits
		return "", false
	}
	if right := checkDigit(number); check == 0 || check == right {
		return number + string(right), true
	}
	return "", false
}

// checkDigit is the last place of an identity card's number, by GB 11643-1999: ISO 7064, MOD 11-2.
func checkDigit(first17 string) byte {
	sum := 0
	for _, digit := range first17 {
		sum = (sum + int(digit-'0')) * 2 % 11
	}
	return "10X98765432"[sum]
}
