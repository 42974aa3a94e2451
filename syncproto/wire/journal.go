package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
)

// Sorts of journal entries. What a version does not know it keeps and passes on.
const (
	// JournalCodeUsed: an enrolment code was used. Subject is the SHA-256 of its secret, detail the public key that came
	// with it.
	JournalCodeUsed = "enrolment_code_used"
	// JournalRevoked: a device was revoked. Subject is its id, detail that of the device that replaces it, if one does.
	JournalRevoked = "device_revoked"
	// JournalConfirmed: a coordinator confirmed a device that was known by its certificate alone. Subject is its id, detail
	// its Certificate.
	JournalConfirmed = "device_confirmed"
	// JournalClientErased: the personal data of a case's clients was erased. Subject is the id of the Case.
	JournalClientErased = "client_erased"
	// JournalErased: a record was erased, with all changes of it. Subject is its id. Whoever has it drops it.
	JournalErased = "record_erased"
	// JournalTokenReplaced: a token was replaced by a random one wherever it stood. Subject is the HMAC of the old one under
	// a key that only the server has, detail the new one.
	JournalTokenReplaced = "token_replaced"
	// JournalTokensIn: tokens in a record were replaced. Subject is its id. Its author drops the changes that have the old ones.
	JournalTokensIn = "record_tokens_replaced"
	// JournalDeploymentErased: all personal data of the deployment was erased. Subject is its id. Whoever has anything of it drops
	// that, and nothing that is confidential is taken any more.
	JournalDeploymentErased = "deployment_erased"
)

// Bounds on one entry of the journal, in bytes.
const (
	maxJournalSort   = 40
	maxJournalDetail = 2048
)

// journalContext keeps an entry's signature from being taken for anything else that the server signs.
const journalContext = "levee journal v1"

// SealJournalEntry signs an entry with the server's key.
func SealJournalEntry(key ed25519.PrivateKey, deployment hlc.ID, e *syncv1.JournalEntry) {
	e.Signature = ed25519.Sign(key, journalText(deployment, e))
}

// CheckJournalEntry reports whether the server signed an entry. The error is a *problem.Problem with code
// signature_invalid or malformed.
func CheckJournalEntry(key ed25519.PublicKey, deployment hlc.ID, e *syncv1.JournalEntry) error {
	switch {
	case e.GetSort() == "", len(e.GetSort()) > maxJournalSort, len(e.GetSubject()) > maxJournalDetail, len(e.GetDetail()) > maxJournalDetail:
		return problem.Newf(problem.Malformed, "journal entry")
	case len(key) != ed25519.PublicKeySize, !ed25519.Verify(key, journalText(deployment, e), e.GetSignature()):
		return problem.Newf(problem.SignatureInvalid, "journal entry")
	}
	return nil
}

// JournalStart is a deployment's journal chain before its first entry.
func JournalStart(deployment hlc.ID) batch.Hash {
	return sha256.Sum256(append([]byte(journalContext), deployment[:]...))
}

// NextJournal is the journal's chain after an entry: SHA-256(chain ‖ SHA-256(what is signed)).
func NextJournal(chain batch.Hash, deployment hlc.ID, e *syncv1.JournalEntry) batch.Hash {
	hash := sha256.Sum256(journalText(deployment, e))
	return sha256.Sum256(append(chain[:], hash[:]...))
}

func journalText(deployment hlc.ID, e *syncv1.JournalEntry) []byte {
	b := append([]byte(journalContext), deployment[:]...)
	for _, part := range [][]byte{[]byte(e.GetSort()), e.GetSubject(), e.GetDetail()} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return binary.BigEndian.AppendUint64(b, uint64(e.GetAt())) //nolint:gosec // the same bits
}
