// What letters say: from a row of the outbox to words.
#pragma once

#include "db/tables/outbox.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server {

/** A letter in words, before it is laid out. */
struct letter {
    std::string subject;
    std::vector<std::string> paragraphs; ///< after the greeting
    std::vector<std::string> list;       ///< after the first paragraph
    std::string link, link_label;        ///< both empty: the letter has none
    std::string ending;                  ///< small print
};

/** Where links lead. */
struct site {
    std::string public_url; ///< no slash at its end
    std::string name;       ///< how people call it: its host
};

/** @param facts as the letter's kind has them; what is missing is left out of the text
    @param token of the letter's link */
letter write_letter(db::outbox::kind what, const boost::json::object& facts, const site& here,
                    std::string_view token);

/** @param name     of the reader; nothing: an unknown one
    @param to_stop  the link that ends letters of this kind; empty: it cannot be ended */
std::string as_text(const letter& what, const std::optional<std::string>& name, std::string_view to_stop);
std::string as_html(const letter& what, const std::optional<std::string>& name, std::string_view to_stop);

} // namespace server
