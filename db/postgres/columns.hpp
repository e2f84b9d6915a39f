// The columns of a row, told once: by the struct that is made from them.
#pragma once

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <string>
#include <string_view>

namespace db {

/** The members of a described row, in their order, as SELECT and RETURNING want them: `id, email`, or with an
    alias `u.id, u.email`. A column that is computed or named otherwise has to be spelt out by the statement.
 */
template <class Row>
std::string columns(std::string_view alias = {})
{
    std::string out;
    boost::mp11::mp_for_each<boost::describe::describe_members<Row, boost::describe::mod_public>>(
        [&](auto member) {
            if (!out.empty())
                out += ", ";
            if (!alias.empty())
                out.append(alias).append(".");
            out += member.name;
        });
    return out;
}

} // namespace db
