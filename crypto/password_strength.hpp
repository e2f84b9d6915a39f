// How soon a password is guessed: the judgement of zxcvbn (Wheeler, USENIX Security 2016), over libzxcvbn.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace crypto {

/** Only the beginning of a password is judged, and of each own word, for the cost of a walk over the keyboard
    grows with the fifth power of its length: libzxcvbn's own bound of 100 would let "1212…" take two seconds.
    Few passwords that begin with so much that is easily guessed go on better. */
inline constexpr std::size_t most_judged_characters = 24;

/** As many own words are looked for, the first ones. */
inline constexpr std::size_t most_own_words = 64;

/** A million guesses: zxcvbn's line between "very guessable" and "somewhat guessable". It keeps off those who
    try the usual passwords at a login that limits attempts, and lets every unhurried choice pass. */
inline constexpr double least_guess_bits = 20;

/** What a guesser who knows the person tries first: the address, its local part, the name, both also without
    separators, then the pieces of both, the domain and its labels. Each once, with three characters at least,
    ASCII letters in lower case.
    @param name may be empty, like the address */
std::vector<std::string> own_words(std::string_view email, std::string_view name);

/** log2 of the guesses that a good guesser needs, by the password's likeliest make-up of common passwords,
    English words, names, dates, keyboard runs, sequences, repetitions and `own_words`, and by brute force for
    what is left. Case does not count, for guessers try it. Any bytes may be given; a character beyond ASCII
    counts as one, but words of other languages are known only so far as they are common passwords.
    Fit for any thread. Some 20 µs for a dozen characters, some 5 ms at worst ("5656…").
    @return 0 for the empty password */
double guess_bits(std::string_view password, std::span<const std::string> own_words);

/** Whether the password is guessed within 2^least_guess_bits tries. */
bool is_guessable(std::string_view password, std::span<const std::string> own_words);

} // namespace crypto
