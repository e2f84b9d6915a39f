// The tree of static files: its digest, its URLs, and the files that the build embeds.
#include "handlers/static_files/file_tree.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace handlers;

namespace {

const embedded_file style{"style.css", "text/css", "body{color:red}", "br", "gz"};
const embedded_file script{"a/b.js", "text/javascript", "1", "longer", "longer"};

std::string digest_of(std::vector<embedded_file> files, std::vector<generated_file> generated = {})
{
    return file_tree("https://id.example.com", files, generated).digest();
}

} // namespace

BOOST_AUTO_TEST_SUITE(file_tree)

BOOST_AUTO_TEST_CASE(a_file_is_found_by_digest_and_name_alone)
{
    const embedded_file files[] = {style, script};
    handlers::file_tree tree("https://id.example.com", files, {});
    auto found = tree.find(tree.digest(), "a/b.js");
    BOOST_REQUIRE(found);
    BOOST_TEST(found->file.plain == "1");
    BOOST_TEST(found->file.brotli == ""); // not smaller than the plain file
    BOOST_TEST(found->file.gzip == "");
    BOOST_TEST(tree.find(tree.digest(), "style.css")->file.brotli == "br");
    for (auto name : {"", "b.js", "a", "a/", "a/../style.css", "/style.css", "STYLE.CSS"})
        BOOST_TEST(!tree.find(tree.digest(), name), name);
    BOOST_TEST(!tree.find("", "style.css"));
    BOOST_TEST(!tree.find(tree.digest() + "0", "style.css"));
}

BOOST_AUTO_TEST_CASE(the_digest_is_that_of_all_names_and_contents)
{
    auto changed = style;
    changed.plain = "body{color:blue}";
    auto renamed = style;
    renamed.name = "other.css";
    std::set<std::string> all = {digest_of({style, script}),
                                 digest_of({changed, script}),
                                 digest_of({renamed, script}),
                                 digest_of({style}),
                                 digest_of({style, script}, {{"brand.css", "text/css", ":root{}"}}),
                                 digest_of({style, script}, {{"brand.css", "text/css", ":root{x:y}"}})};
    BOOST_TEST(all.size() == 6u);
    BOOST_TEST(digest_of({style, script}) == digest_of({script, style})); // in any order, on every node
}

BOOST_AUTO_TEST_CASE(urls_are_below_the_path_of_the_public_url)
{
    const embedded_file files[] = {style};
    for (auto [site, path] : {std::pair("https://id.example.com", ""),
                              {"https://id.example.com/", ""},
                              {"https://example.com/id", "/id"},
                              {"https://example.com/a/id/", "/a/id"}}) {
        handlers::file_tree tree(site, files, {});
        BOOST_TEST(tree.base_path() == path);
        BOOST_TEST(tree.url("style.css") == path + ("/assets/" + tree.digest()) + "/style.css");
        BOOST_CHECK_THROW(tree.url("missing.css"), std::logic_error);
    }
}

BOOST_AUTO_TEST_CASE(every_text_is_embedded_plain_and_compressed)
{
    std::set<std::string_view> names;
    for (auto& file : embedded_files()) {
        BOOST_TEST(names.insert(file.name).second, file.name);
        BOOST_TEST(!file.plain.empty(), file.name);
        BOOST_TEST(file.gzip.starts_with("\x1f\x8b"), file.name);
        BOOST_TEST(!file.brotli.empty(), file.name);
    }
    for (auto name : {"style.css", "page.js", "icon.svg", "docs/start.js", "docs/swagger-ui-bundle.js"})
        BOOST_TEST(names.contains(name), name);
}

BOOST_AUTO_TEST_SUITE_END()
