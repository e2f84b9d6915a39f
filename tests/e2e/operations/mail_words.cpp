// Emails contain no free text of a user without a verified address, in no header and no part.
#include "db/tables/outbox.hpp"
#include "tests/e2e/support/domain_fixture.hpp"
#include "tests/e2e/support/mail_fixture.hpp"
#include "tests/e2e/support/mail_helpers.hpp"

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

using namespace e2e;

namespace {

/// Free text; short, so that no encoding folds a line inside it, and without what is protected against links.
constexpr std::string_view author_words = "ZqAuthor", reader_words = "ZqReader";

/// The kinds of email about variables that the recipient has chosen.
const std::set<std::string> about_own_words{"email_change_notice", "password_changed", "key_minted"};

/// The kinds that are the way to prove an address. All others go to verified addresses alone.
const std::set<std::string> to_unverified{"verify", "reset", "email_change", "invite", "invite_reminder"};

/// The kinds that contain words of another user, if their address is verified.
const std::set<std::string> about_others{"key_reported",   "invite",         "invite_reminder",
                                         "approval_asked", "approval_given", "approval_refused"};

std::vector<std::string> all_kinds()
{
    std::vector<std::string> out;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<db::outbox::kind>>(
        [&](auto each) { out.emplace_back(each.name); });
    return out;
}

bool contains(const support::email& mail, std::string_view words)
{
    auto holds = [&](const std::string& text) { return text.find(words) != std::string::npos; };
    return holds(mail.to) || holds(mail.subject) || holds(mail.text) || holds(mail.html) ||
           std::ranges::any_of(mail.headers, [&](auto& header) { return holds(header.second); });
}

/// Readers and authors, verified or not, and a workspace that each author has named.
struct words_fixture : mail_fixture {
    words_fixture() : mail_fixture({{"LATCHKEY_MAIL_PER_RECIPIENT", "0"}})
    {
        for (std::string state : {"verified", "unverified"}) {
            add_user("reader-" + state, std::string(reader_words), state);
            add_user("author-" + state, std::string(author_words), state);
            db.sql("INSERT INTO workspaces (id, name, owner_id) SELECT gen_random_uuid(), '" +
                   std::string(author_words) + "', id FROM users WHERE email = '" +
                   address("author-" + state) + "'");
        }
    }

    static std::string address(const std::string& name) { return name + "@example.com"; }

    static std::string id_of(const std::string& name)
    {
        return "(SELECT id FROM users WHERE email = '" + address(name) + "')";
    }

    void add_user(const std::string& name, const std::string& shown, const std::string& state)
    {
        auto verified = state == "verified" ? "now()" : "NULL";
        db.sql("INSERT INTO users (id, email, email_normalized, name, email_verified_at) VALUES "
               "(gen_random_uuid(), '" +
               address(name) + "', '" + address(name) + "', '" + shown + "', " + verified + ")");
    }

    /// Queue an email with words in every variable, declared or not. @return its id; empty if it is dropped
    std::string queue(const std::string& kind, const std::string& reader, const std::string& author)
    {
        std::string w(author_words);
        auto variables = "{\"person\": \"" + w + "\", \"person_email\": \"" + w + "@example.com\", " +
                         "\"workspace\": \"" + w + "\", \"name\": \"" + w + "\", \"new_email\": \"" + w +
                         "@example.com\", \"surprise\": \"" + w + "\", \"key_count\": 1, " +
                         "\"prefix\": \"a1b2c3d4\", \"keys\": [{\"prefix\": \"a1b2c3d4\", \"name\": \"" + w +
                         "\"}]}";
        return db.sql("INSERT INTO outbox (id, kind, variables, user_id, recipient, name, sender_id, "
                      "workspace_id) SELECT gen_random_uuid(), '" +
                      kind + "', '" + variables + "', r.id, r.email, '" + w + "', a.id, w.id " +
                      "FROM users r, users a JOIN workspaces w ON w.owner_id = a.id WHERE r.email = '" +
                      address(reader) + "' AND a.email = '" + address(author) + "' RETURNING id");
    }

    support::email read(const std::string& id)
    {
        auto path = folder.path() + "/mail/" + id + ".eml";
        BOOST_REQUIRE_MESSAGE(support::eventually([&] { return std::ifstream(path).good(); }),
                              "no email " << id);
        std::ifstream file(path);
        return support::parse_email(std::string(std::istreambuf_iterator<char>(file), {}));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(mail_words)

BOOST_FIXTURE_TEST_CASE(no_kind_contains_the_words_of_an_unverified_author, words_fixture)
{
    for (auto& kind : all_kinds())
        for (std::string reader : {"reader-verified", "reader-unverified"})
            for (std::string author : {"author-verified", "author-unverified"})
                BOOST_TEST_CONTEXT(kind << " to " << reader << " by " << author)
                {
                    bool is_reader_verified = reader == "reader-verified";
                    bool is_author_verified = author == "author-verified";
                    auto id = queue(kind, reader, author);
                    BOOST_TEST(id.empty() == (!is_reader_verified && !to_unverified.contains(kind)));
                    if (id.empty())
                        continue;
                    auto mail = read(id);
                    bool has_words = (is_author_verified && about_others.contains(kind)) ||
                                     (is_reader_verified && about_own_words.contains(kind));
                    BOOST_TEST(contains(mail, author_words) == has_words, mail.text);
                    BOOST_TEST(contains(mail, reader_words) == is_reader_verified, mail.text);
                }
}

BOOST_FIXTURE_TEST_CASE(a_name_is_shown_only_at_the_address_that_was_verified, words_fixture)
{
    auto id = db.sql("INSERT INTO outbox (id, kind, user_id, recipient, name) SELECT gen_random_uuid(), "
                     "'email_change', id, 'other@example.com', name FROM users WHERE email = '" +
                     address("reader-verified") + "' RETURNING id");
    BOOST_TEST(!contains(read(id), reader_words));
}

BOOST_FIXTURE_TEST_CASE(a_workspaces_name_is_the_words_of_its_last_author, domain_fixture)
{
    auto subject_of_invite = [&](const std::string& to) {
        invite_one(to);
        return email_to(to, "").subject;
    };
    auto rename = [&](const std::string& name, const std::string& with) {
        auto changed = client.patch(base + "/workspace", support::object({{"name", name}}), with);
        BOOST_REQUIRE_MESSAGE(changed.status == 200u, changed.body);
    };
    rename("Engines", token);
    BOOST_TEST(subject_of_invite("a@example.net").find("Engines") != std::string::npos);
    rename("ZqPay", mel.token); // an admin with an unverified address
    BOOST_TEST(subject_of_invite("b@example.net").find("ZqPay") == std::string::npos);
    verify_address("mel@example.com");
    BOOST_TEST(subject_of_invite("c@example.net").find("ZqPay") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(an_unverified_address_gets_no_notices, mail_fixture)
{
    auto body =
        support::object({{"email", "eve@example.com"}, {"password", "long enough"}, {"name", "ZqReader"}});
    auto eve = person_from(post("/signup", body));
    email_to("eve@example.com", verify_subject);
    auto secret = post("/api-keys", R"({"name":"ZqKey"})", eve.token).text("/secret");
    BOOST_TEST(post("/api-keys/report", support::object({{"key", secret}})).status == 202u);
    client.set("User-Agent", "ZqAgent");
    post("/email/change",
         support::object({{"new_email", "zqwords@example.net"}, {"password", "long enough"}}), eve.token);
    post("/password/change",
         support::object({{"current_password", "long enough"}, {"new_password", "longer than before"}}),
         eve.token);
    BOOST_TEST(no_more_emails("eve@example.com"));
    auto asked = email_to("zqwords@example.net");
    BOOST_TEST(!contains(asked, "ZqReader"));
}

BOOST_FIXTURE_TEST_CASE(a_refused_applicant_with_an_unverified_address_gets_no_email, domain_fixture)
{
    auto zoe = sign_up_pending("zoe@example.com");
    email_to("zoe@example.com", "Confirm your email address");
    BOOST_TEST(reject(zoe.user).status == 204u);
    BOOST_TEST(no_more_emails("zoe@example.com", ""));
}

BOOST_FIXTURE_TEST_CASE(notices_are_limited, account_mail_fixture)
{
    db.sql("UPDATE users SET email_verified_at = now()");
    for (int i = 0; i < 25; ++i) {
        auto key = mint(R"({"name":"k"})");
        auto reported = client.post(base + "/api-keys/report", support::object({{"key", key}}));
        BOOST_TEST(reported.status == 202u);
    }
    BOOST_TEST(emails_sent("key_reported") == 10u);
    BOOST_TEST(emails_sent("key_minted") == 10u);
    for (int i = 0; i < 15; ++i) {
        auto body = support::object({{"current_password", i % 2 ? "other enough" : "long enough"},
                                     {"new_password", i % 2 ? "long enough" : "other enough"}});
        BOOST_TEST(client.post(base + "/password/change", body, token).status == 204u);
    }
    BOOST_TEST(emails_sent("password_changed") == 10u);

    // Seen in the metrics, and once in the audit log of the workspace that the keys belong to.
    auto shows = [&](const std::string& line) {
        return support::eventually(
            [&] { return client.get("/metrics").body.find(line) != std::string::npos; });
    };
    BOOST_TEST(shows("latchkey_mail_dropped_total{kind=\"key_reported\",reason=\"recipient\"} 15"));
    BOOST_TEST(shows("latchkey_mail_dropped_total{kind=\"password_changed\",reason=\"recipient\"} 5"));
    auto log = client.get(base + "/audit?action=mail.drop", token);
    BOOST_TEST(json_at(log, "/total") == "1");
    BOOST_TEST(log.text("/items/0/details/budget") == "recipient");
}

BOOST_FIXTURE_TEST_CASE(sign_ins_from_ever_new_devices_are_limited, account_mail_fixture)
{
    db.sql("UPDATE users SET email_verified_at = now()");
    for (char c = 'a'; c <= 't'; ++c) {
        support::http_client device(server.port());
        device.set("User-Agent", std::string("Agent ") + c);
        log_in(device, "ada@example.com");
    }
    BOOST_TEST(emails_sent("new_sign_in") == 10u);
}

BOOST_AUTO_TEST_SUITE_END()
