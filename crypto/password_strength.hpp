// Password strength: the zxcvbn estimate (Wheeler, USENIX Security 2016), computed by libzxcvbn.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace crypto {

/** Only this many characters of a password, and of each user input, are scored: the cost of libzxcvbn's
    keyboard matching grows with the fifth power of the length, and at its own limit of 100, "1212…" takes two
    seconds. A password with 24 weak characters is rarely strong after them. */
inline constexpr std::size_t max_scored_characters = 24;

/// Further user inputs are ignored.
inline constexpr std::size_t max_user_inputs = 64;

/** A million guesses: zxcvbn's boundary between "very guessable" and "somewhat guessable". It resists online
    guessing at a rate-limited login, and accepts every reasonable choice. */
inline constexpr double min_guess_bits = 20;

/** The user inputs of zxcvbn: words that a targeted attacker tries first. The email address, its local part,
    the name, both also without separators, then the parts of both, the domain and its labels. Unique, at
    least three characters long, ASCII in lower case.
    @param name may be empty, as may the email address */
std::vector<std::string> user_inputs(std::string_view email, std::string_view name);

/** log2 of the number of guesses that a good attacker needs, by the likeliest decomposition of the password
    into common passwords, English words, names, dates, keyboard patterns, sequences, repetitions and
    `user_inputs`, and by brute force for the rest. Ignores case, since attackers try it. Accepts any bytes; a
    character beyond ASCII counts as one, but words of other languages are known only as far as they are
    common passwords. Thread-safe. Some 20 µs for a dozen characters, some 5 ms at worst ("5656…").
    @return 0 for the empty password */
double guess_bits(std::string_view password, std::span<const std::string> user_inputs);

/// Whether the password is guessed within 2^min_guess_bits attempts.
bool is_guessable(std::string_view password, std::span<const std::string> user_inputs);

} // namespace crypto
