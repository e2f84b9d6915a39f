/* Internationalized text: normalization, case folding, domain names, language tags, and the PRECIS profiles
   for passwords and nicknames. ICU does the work: one maintained library has all of these, and PostgreSQL's
   server brings it along. libidn2 with libunistring would do for all but the language tags. */
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace schemas {

/// Whether the text is well-formed UTF-8.
bool is_utf8(std::string_view text);

/// Normalization Form C (Unicode Standard Annex #15). Malformed UTF-8 is returned as it is.
std::string to_nfc(std::string_view utf8);

/// The text with A to Z in lower case.
std::string to_lower_ascii(std::string_view text);

/** The form for caseless comparison: NFC, full case folding (Unicode 3.13, toCasefold), and NFC again.
    Malformed UTF-8 is returned as it is. */
std::string fold_case(std::string_view utf8);

/** The ASCII form of a domain: A-labels in lower case, by the non-transitional processing of UTS #46 with
    STD3, bidi and joiner rules. As in URLs (WHATWG), hyphens in the third and fourth place are allowed, since
    deployed names have them.
    @return nothing if a label is invalid, empty or too long, or the domain too long (RFC 5891, RFC 1035) */
std::optional<std::string> domain_to_ascii(std::string_view domain);

/** A password by the OpaqueString profile of RFC 8265, section 4.2: non-ASCII spaces become spaces, then NFC.
    Two differences to its FreeformClass: invisible and unassigned characters are allowed, because emoji need
    the former, and new ones arrive before ICU knows them.
    @return nothing if it is empty, has control characters, or is not UTF-8 */
std::optional<std::string> to_opaque_string(std::string_view password);

/** The spaces of a nickname as of RFC 8266, section 2.1: non-ASCII spaces become spaces, spaces at the ends
    are removed and runs of them collapsed; then NFC. The profile's NFKC is for comparing names, which nothing
    does. */
std::string to_nickname(std::string_view name);

enum class nickname_fault {
    none,
    malformed,
    control,
    bidi_control,
    /// Invisible (default-ignorable), unassigned or of private use: not in the FreeformClass of RFC 8264.
    disallowed,
    /// Nothing but spaces, marks and invisible characters.
    blank
};

/** The first fault of a nickname by the FreeformClass of RFC 8264. Joiners and variation selectors, of which
    the class allows some by context, are accepted after another character, for emoji and for Persian; but no
    two variation selectors in a row, with which hidden text can be encoded. */
nickname_fault find_nickname_fault(std::string_view name);

/** The canonical form of a language tag (RFC 5646, section 4.5): preferred subtags in the conventional case
    and order, which for variants is alphabetical, as in CLDR.
    @return nothing if the tag is not well-formed */
std::optional<std::string> canonical_language_tag(std::string_view tag);

} // namespace schemas
