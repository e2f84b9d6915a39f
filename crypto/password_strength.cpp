#include "crypto/password_strength.hpp"

#include "crypto/wipe.hpp"

#include <zxcvbn.h>

#include <algorithm>
#include <utility>

namespace crypto {

namespace {

/** Remove and return the first character of `rest`, which must not be empty. A byte that is not UTF-8 stands
    for itself: scoring needs distinct values, not valid ones. */
char32_t take_character(std::string_view& rest)
{
    auto lead = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    char32_t out = more > 0 ? lead & (0x3Fu >> more) : lead;
    for (; more > 0 && !rest.empty() && (rest.front() & 0xC0) == 0x80; --more) {
        out = out << 6 | (static_cast<unsigned char>(rest.front()) & 0x3Fu);
        rest.remove_prefix(1);
    }
    return out;
}

/// Lower case for ASCII, Latin-1, Greek and Cyrillic, the scripts of most names with case.
char32_t lower(char32_t c)
{
    const auto within = [c](char32_t first, char32_t last) { return first <= c && c <= last; };
    if (within('A', 'Z') || (within(0xC0, 0xDE) && c != 0xD7) || within(0x391, 0x3A9) || within(0x410, 0x42F))
        return c + 0x20;
    return within(0x400, 0x40F) ? c + 0x50 : c;
}

/** The input form of libzxcvbn: one byte per character, none of them NUL. As UTF-8, a character beyond ASCII
    would count as several, and its repetition would go undetected. */
std::string to_single_bytes(std::string_view utf8)
{
    std::string out;
    out.reserve(max_scored_characters); // growing would leave copies of the password behind
    while (!utf8.empty() && out.size() < max_scored_characters) {
        auto c = lower(take_character(utf8));
        out += static_cast<char>(c == 0 || c > 0x7F ? 0x80 | (c & 0x7F) : c);
    }
    return out;
}

class word_list {
public:
    void add(std::string_view word)
    {
        if (to_single_bytes(word).size() < 3)
            return;
        std::string out(word);
        for (auto& c : out)
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        if (std::find(words_.begin(), words_.end(), out) == words_.end())
            words_.push_back(std::move(out));
    }

    void add_parts(std::string_view text, std::string_view separators)
    {
        for (std::size_t at = 0; at < text.size();) {
            auto end = std::min(text.find_first_of(separators, at), text.size());
            add(text.substr(at, end - at));
            at = end + 1;
        }
    }

    void add_joined(std::string_view text, std::string_view separators)
    {
        std::string joined(text);
        std::erase_if(joined, [&](char c) { return separators.find(c) != std::string_view::npos; });
        add(joined);
    }

    std::vector<std::string> take() { return std::move(words_); }

private:
    std::vector<std::string> words_;
};

} // namespace

std::vector<std::string> user_inputs(std::string_view email, std::string_view name)
{
    constexpr std::string_view separators = " ._-+'";
    auto at = std::min(email.rfind('@'), email.size());
    auto local = email.substr(0, at), domain = email.substr(std::min(at + 1, email.size()));
    word_list out; // likeliest first: zxcvbn takes the position for the number of guesses
    out.add(email);
    out.add(local);
    out.add(name);
    out.add_joined(local, separators);
    out.add_joined(name, separators);
    out.add_parts(name, separators);
    out.add_parts(local, separators);
    out.add(domain);
    out.add_parts(domain, ".");
    return out.take();
}

double guess_bits(std::string_view password, std::span<const std::string> user_inputs)
{
    user_inputs = user_inputs.first(std::min(user_inputs.size(), max_user_inputs));
    std::vector<std::string> words;
    words.reserve(user_inputs.size());
    for (auto& word : user_inputs)
        words.push_back(to_single_bytes(word));
    std::vector<const char*> pointers;
    pointers.reserve(words.size() + 1);
    for (auto& word : words)
        pointers.push_back(word.c_str());
    pointers.push_back(nullptr);

    auto scored = to_single_bytes(password);
    auto bits = scored.empty() ? 0 : ZxcvbnMatch(scored.c_str(), pointers.data(), nullptr);
    wipe(scored);
    return bits;
}

bool is_guessable(std::string_view password, std::span<const std::string> user_inputs)
{
    return guess_bits(password, user_inputs) < min_guess_bits;
}

} // namespace crypto
