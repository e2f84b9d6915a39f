#include "schemas/engine/unicode.hpp"

#include "schemas/engine/utf8.hpp"

#include <algorithm>
#include <stdexcept>
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/idna.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

namespace schemas {

namespace {

bool is_ascii(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

icu::StringPiece piece(std::string_view text)
{
    return {text.data(), static_cast<std::int32_t>(text.size())};
}

/// ICU fails here only without memory or without its data file: the installation is broken.
void require(UErrorCode status, const char* what)
{
    if (U_FAILURE(status))
        throw std::runtime_error(std::string("ICU: ") + what + ": " + u_errorName(status));
}

std::string normalize(std::string_view text)
{
    UErrorCode status = U_ZERO_ERROR;
    static const icu::Normalizer2* const nfc = icu::Normalizer2::getNFCInstance(status);
    std::string out;
    icu::StringByteSink<std::string> sink(&out);
    if (nfc)
        nfc->normalizeUTF8(0, piece(text), sink, nullptr, status);
    require(status, "NFC");
    return out;
}

bool is_space(char32_t c)
{
    return u_charType(static_cast<UChar32>(c)) == U_SPACE_SEPARATOR;
}

/// Replaces every space separator by U+0020. The text is UTF-8.
std::string map_spaces(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto before = text;
        if (is_space(*take_code_point(text)))
            out += ' ';
        else
            out += before.substr(0, before.size() - text.size());
    }
    return out;
}

enum class name_class { visible, mark, space, joiner, variation_selector, control, bidi_control, disallowed };

name_class classify(char32_t c)
{
    const auto code = static_cast<UChar32>(c);
    if (is_control(c))
        return name_class::control;
    if (is_bidi_control(c))
        return name_class::bidi_control;
    if (u_hasBinaryProperty(code, UCHAR_JOIN_CONTROL))
        return name_class::joiner;
    if (u_hasBinaryProperty(code, UCHAR_VARIATION_SELECTOR))
        return name_class::variation_selector;
    if (u_hasBinaryProperty(code, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
        return name_class::disallowed;
    constexpr char32_t blank_braille_pattern = 0x2800;
    const auto category = U_GET_GC_MASK(code);
    if (category & U_GC_ZS_MASK || c == blank_braille_pattern)
        return name_class::space;
    if (category & U_GC_M_MASK)
        return name_class::mark;
    if (category & (U_GC_L_MASK | U_GC_N_MASK | U_GC_P_MASK | U_GC_S_MASK))
        return name_class::visible;
    return name_class::disallowed;
}

} // namespace

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        if (!take_code_point(text))
            return false;
    }
    return true;
}

std::string to_lower_ascii(std::string_view text)
{
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

std::string to_nfc(std::string_view utf8)
{
    return is_ascii(utf8) || !is_utf8(utf8) ? std::string(utf8) : normalize(utf8);
}

std::string fold_case(std::string_view utf8)
{
    if (is_ascii(utf8))
        return to_lower_ascii(utf8);
    if (!is_utf8(utf8))
        return std::string(utf8);
    UErrorCode status = U_ZERO_ERROR;
    std::string folded;
    icu::StringByteSink<std::string> sink(&folded);
    icu::CaseMap::utf8Fold(U_FOLD_CASE_DEFAULT, piece(normalize(utf8)), sink, nullptr, status);
    require(status, "case folding");
    return normalize(folded);
}

std::optional<std::string> domain_to_ascii(std::string_view domain)
{
    constexpr std::size_t max_size = 1024; // far more than any domain has in UTF-8
    if (domain.size() > max_size || !is_utf8(domain))
        return std::nullopt;
    UErrorCode status = U_ZERO_ERROR;
    static const std::unique_ptr<const icu::IDNA> uts46(
        icu::IDNA::createUTS46Instance(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                                           UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE,
                                       status));
    std::string out;
    icu::StringByteSink<std::string> sink(&out);
    icu::IDNAInfo info;
    if (uts46)
        uts46->nameToASCII_UTF8(piece(domain), sink, info, status);
    require(status, "UTS #46");
    if (info.getErrors() & ~static_cast<std::uint32_t>(UIDNA_ERROR_HYPHEN_3_4) || !is_ascii(out))
        return std::nullopt;
    return to_lower_ascii(out);
}

std::optional<std::string> to_opaque_string(std::string_view password)
{
    if (password.empty() || !is_utf8(password))
        return std::nullopt;
    for (auto rest = password; !rest.empty();) {
        if (u_charType(static_cast<UChar32>(*take_code_point(rest))) == U_CONTROL_CHAR)
            return std::nullopt;
    }
    return is_ascii(password) ? std::string(password) : normalize(map_spaces(password));
}

std::string to_nickname(std::string_view name)
{
    if (!is_utf8(name))
        return std::string(name);
    const auto mapped = to_nfc(map_spaces(name));
    std::string out;
    for (const char c : mapped) {
        if (c != ' ' || (!out.empty() && out.back() != ' '))
            out += c;
    }
    if (!out.empty() && out.back() == ' ')
        out.pop_back();
    return out;
}

nickname_fault find_nickname_fault(std::string_view name)
{
    bool has_visible = false;
    auto previous = name_class::space;
    while (!name.empty()) {
        const auto c = take_code_point(name);
        if (!c)
            return nickname_fault::malformed;
        const auto current = classify(*c);
        switch (current) {
        case name_class::control:
            return nickname_fault::control;
        case name_class::bidi_control:
            return nickname_fault::bidi_control;
        case name_class::disallowed:
            return nickname_fault::disallowed;
        case name_class::variation_selector:
            if (previous != name_class::visible && previous != name_class::mark)
                return has_visible ? nickname_fault::disallowed : nickname_fault::blank;
            break;
        case name_class::joiner:
            if (previous == name_class::space || previous == name_class::joiner)
                return has_visible ? nickname_fault::disallowed : nickname_fault::blank;
            break;
        case name_class::visible:
            has_visible = true;
            break;
        case name_class::mark:
        case name_class::space:
            break;
        }
        previous = current;
    }
    return has_visible ? nickname_fault::none : nickname_fault::blank;
}

std::optional<std::string> canonical_language_tag(std::string_view tag)
{
    if (tag.empty() || !is_ascii(tag))
        return std::nullopt;
    UErrorCode status = U_ZERO_ERROR;
    const auto locale = icu::Locale::forLanguageTag(piece(tag), status);
    if (U_FAILURE(status) || locale.isBogus())
        return std::nullopt;
    auto out = locale.toLanguageTag<std::string>(status);
    if (U_FAILURE(status))
        return std::nullopt;
    return out;
}

} // namespace schemas
