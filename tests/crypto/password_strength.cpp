// Password strength: guessable and strong passwords, user inputs, and arbitrary bytes.
#include "crypto/password_strength.hpp"

#include "crypto/password.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <thread>

using namespace crypto;

namespace {

const std::vector<std::string> no_inputs;

std::vector<std::string> ada()
{
    return user_inputs("Ada.Lovelace@example.org", "Ada Lovelace");
}

std::string repeat(std::string_view piece, int times)
{
    std::string out;
    while (times-- > 0)
        out += piece;
    return out;
}

bool has(const std::vector<std::string>& words, std::string_view word)
{
    return std::find(words.begin(), words.end(), word) != words.end();
}

void check_guessable(const std::vector<std::string>& words, std::initializer_list<std::string> passwords)
{
    for (auto& password : passwords)
        BOOST_TEST(is_guessable(password, words), password << ": " << guess_bits(password, words));
}

void check_strong(const std::vector<std::string>& words, std::initializer_list<std::string> passwords)
{
    for (auto& password : passwords)
        BOOST_TEST(!is_guessable(password, words), password << ": " << guess_bits(password, words));
}

} // namespace

BOOST_AUTO_TEST_SUITE(password_strength)

BOOST_AUTO_TEST_CASE(common_passwords_are_guessable)
{
    check_guessable(no_inputs,
                    {"password",    "password1", "Passw0rd!",  "PASSWORD",       "pAsSwOrD",     "password",
                     "P@ssw0rd123", "12345678",  "1234567890", "qwertyuiop",     "1q2w3e4r",     "1qaz2wsx",
                     "iloveyou1",   "letmein1",  "welcome1",   "Summer2024",     "Welcome2024!", "abcdefgh",
                     "AbCdEfGh",    "abcabcabc", "changeme1",  "administrator",  "basketball99", "passwort1",
                     "hallo123",    "qwertz123", "01.01.1990", "wrong password", "drowssap"});
}

BOOST_AUTO_TEST_CASE(repetition_adds_little)
{
    check_guessable(no_inputs,
                    {"aaaaaaaaaaaa", repeat("a", 1024), repeat("password", 2), repeat("password", 128),
                     repeat("12", 512), repeat("ä", 10), repeat("ж", 500), repeat("🔑", 9)});
}

BOOST_AUTO_TEST_CASE(reasonable_passwords_are_strong)
{
    check_strong(no_inputs,
                 {"long enough", "long enough 2", "correct horse", "correct horse battery",
                  "correct horse battery staple", "correcthorsebatterystaple", "Tr0ub4dor&3", "rZ7qLm2wXc",
                  "k3v9x0qpwn", "gHt4!kPz9s", "8264019375", "drei blaue Bären", "Schöne Füße im Gras",
                  "le chat noir dort", "mon petit café", "зелёное яблоко", "正しい馬の電池", "σωστό άλογο"});
    check_strong(ada(), {"long enough", "correct horse battery", "rZ7qLm2wXc"});
}

BOOST_AUTO_TEST_CASE(random_passwords_are_strong)
{
    std::mt19937 random(1);
    constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (int i = 0; i < 2000; ++i) {
        std::string password;
        while (password.size() < 10)
            password += characters[random() % characters.size()];
        BOOST_TEST(!is_guessable(password, ada()), password);
    }
}

BOOST_AUTO_TEST_CASE(user_inputs_are_guessed_first)
{
    check_guessable(ada(), {"ada.lovelace@example.org", "ADA.LOVELACE@EXAMPLE.ORG",
                            "ada.lovelace@example.org1815", "ada.lovelace1815", "Ada.Lovelace1815",
                            "adalovelace", "AdaLovelace1815", "lovelace1815", "LOVELACE99", "L0vel4ce1815",
                            "ecalevol", "example2024", "ada lovelace", "lovelacelovelace"});
    // Without these user inputs they are ordinary words.
    check_strong(no_inputs, {"ada.lovelace@example.org", "ada.lovelace1815", "lovelace1815"});
}

BOOST_AUTO_TEST_CASE(user_inputs_beyond_ascii_match_in_either_case)
{
    check_guessable(user_inputs("v@example.org", "Владимир Öztürk"),
                    {"владимир1990", "ВЛАДИМИР1990", "öztürk1990", "ÖZTÜRK1990"});
    check_strong(no_inputs, {"владимир1990"});
}

BOOST_AUTO_TEST_CASE(a_user_input_longer_than_the_scored_part_matches)
{
    auto email = repeat("wqzx.", 12) + "k@example.org";
    check_strong(no_inputs, {email});
    check_guessable(user_inputs(email, ""), {email, email + "1"});
}

BOOST_AUTO_TEST_CASE(email_address_and_name_are_split)
{
    auto words = user_inputs("Ada.King-Noel_x+News@Mail.Example.org", "Ada  King-Noel, O'Brien");
    for (auto word : {"ada.king-noel_x+news@mail.example.org", "ada.king-noel_x+news", "ada", "king", "noel",
                      "news", "mail", "example", "org", "mail.example.org", "adakingnoelxnews",
                      "ada  king-noel, o'brien", "brien"})
        BOOST_TEST(has(words, word), word);
    for (auto word : {"x", "o", "", "Ada"})
        BOOST_TEST(!has(words, word), word);
    BOOST_TEST(std::count(words.begin(), words.end(), "ada") == 1);
}

BOOST_AUTO_TEST_CASE(short_words_are_skipped)
{
    BOOST_TEST(user_inputs("", "").empty());
    BOOST_TEST(user_inputs("@", " ").empty());
    BOOST_TEST(user_inputs("a@b", "Jo").size() == 1u); // the address
    BOOST_TEST(user_inputs("", "Öl").empty());         // three bytes, two characters
    BOOST_TEST(has(user_inputs("", "Özü"), "Özü"));
    BOOST_TEST(has(user_inputs("nowhere", ""), "nowhere"));
}

BOOST_AUTO_TEST_CASE(malformed_user_inputs_are_harmless)
{
    const std::vector<std::string> odd = {
        "", std::string("\0", 1), std::string("a\0b", 3), "\xFF\xFE", "\xC3", repeat("x", 5000), " "};
    BOOST_TEST(!is_guessable("correct horse battery", odd));
    BOOST_TEST(is_guessable("password", odd));
    BOOST_TEST(!is_guessable("correct horse battery", std::vector<std::string>(5000, "horse")));
}

BOOST_AUTO_TEST_CASE(only_the_beginning_is_scored)
{
    auto random = "k3v9x0qpwnk7c2mzhgty4bds"; // as long as the scored part
    BOOST_TEST(guess_bits(random, no_inputs) == guess_bits(random + repeat("z", 1000), no_inputs));
    BOOST_TEST(guess_bits("", no_inputs) == 0);
    BOOST_TEST(is_guessable("", no_inputs));
}

BOOST_AUTO_TEST_CASE(a_nul_does_not_terminate_the_password)
{
    std::string strong("\0k3v9x0qpwn", 11);
    BOOST_TEST(!is_guessable(strong, no_inputs));
    BOOST_TEST(is_guessable(std::string(12, '\0'), no_inputs));
    BOOST_TEST(guess_bits(std::string("password\0", 9), no_inputs) > guess_bits("password", no_inputs));
}

BOOST_AUTO_TEST_CASE(any_bytes_are_scored)
{
    std::mt19937 random(2);
    auto words = ada();
    for (int i = 0; i < 20'000; ++i) {
        std::string password(random() % 40, '\0');
        bool narrow = random() % 2;
        for (auto& c : password)
            c = narrow ? "1l|7!o0@4a\xC3\xA4"[random() % 12] : static_cast<char>(random());
        auto bits = guess_bits(password, words);
        BOOST_REQUIRE(std::isfinite(bits));
        BOOST_REQUIRE(bits >= 0);
    }
    for (std::size_t size :
         {std::size_t{1}, max_scored_characters, max_scored_characters + 1, max_password_size})
        for (int c = 0; c < 256; ++c) {
            auto bits = guess_bits(std::string(size, static_cast<char>(c)), words);
            BOOST_TEST((bits >= 0 && bits < min_guess_bits), c);
        }
}

BOOST_AUTO_TEST_CASE(threads_do_not_disturb_each_other)
{
    auto words = ada();
    const auto alone = guess_bits("lovelace and a horse", words);
    std::vector<std::thread> threads;
    std::array<int, 4> wrong{};
    for (auto& count : wrong)
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i)
                count += guess_bits("lovelace and a horse", words) != alone;
        });
    for (auto& thread : threads)
        thread.join();
    for (auto count : wrong)
        BOOST_TEST(count == 0);
}

BOOST_AUTO_TEST_SUITE_END()
